/** `npm run db:migrate` and `npm run db:rollback [-- --all]`: the catalogue's schema and the task queues'. */
import { taskSettings } from '@omnizap/catalog';
import { AppError, connectDatabase, createLogger, loadConfig, migrateDown, migrateUp } from '@omnizap/runtime';
import { installTaskQueues } from '@omnizap/tasks';

async function main(direction: string | undefined, flags: string[]): Promise<number> {
  if ((direction !== 'up' && direction !== 'down') || flags.some((flag) => flag !== '--all')) {
    process.stderr.write('usage: npm run db:migrate | npm run db:rollback [-- --all]\n');
    return 2;
  }
  const config = loadConfig();
  const database = connectDatabase(config.DATABASE_URL, { poolMax: 2, applicationName: 'omnizap migrate' });
  try {
    if (direction === 'up') {
      const applied = await migrateUp(database);
      await installTaskQueues(taskSettings, {
        queueUrl: config.QUEUE_DATABASE_URL,
        log: createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT, process: 'migrate' }),
      });
      report(applied, 'applied', 'the schema is up to date');
    } else {
      report(
        await migrateDown(database, { all: flags.includes('--all') }),
        'taken back',
        'there is nothing to take back',
      );
    }
    return 0;
  } finally {
    await database.close();
  }
}

function report(names: string[], verb: string, nothing: string): void {
  process.stdout.write(
    names.length === 0 ? `migrations: ${nothing}\n` : names.map((name) => `migrations: ${verb} ${name}\n`).join(''),
  );
}

try {
  process.exitCode = await main(process.argv[2], process.argv.slice(3));
} catch (error) {
  process.stderr.write(
    `migrations: ${error instanceof AppError || error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
}

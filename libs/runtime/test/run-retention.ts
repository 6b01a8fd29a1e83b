/** Runs retention of the table `kept` until it is done or killed. Arguments: database URL, archive folder. */
import { connectDatabase, createLogger, createRetention } from '../src/index.ts';

const [url = '', archiveDir = ''] = process.argv.slice(2);
const database = connectDatabase(url, { poolMax: 2 });
const retention = createRetention(
  { database, log: createLogger({ level: 'silent', format: 'json', process: 'retention' }) },
  {
    policies: [{ name: 'kept', table: 'kept', keep: { days: 10 }, action: 'archive', reason: 'A test.' }],
    archiveDir,
    limits: { rows: 2_000, milliseconds: 60_000 },
  },
);
process.send?.({ type: 'ready' });
await retention.run();
await database.close();

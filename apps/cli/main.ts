/** `npm run ops -- <group> <command>`: the operator CLI. */
import { groups } from './groups.ts';
import { runCli } from './run-cli.ts';
import { createTerminal } from './terminal.ts';

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const terminal = createTerminal({ input: process.stdin, output: process.stdout, errors: process.stderr });
process.exitCode = await runCli(groups, process.argv.slice(2), terminal);

/**
 * `npm run check`: every gate that needs no database. All gates run even when one fails, so that one run shows everything
 * there is to repair; the exit code is 1 when any of them failed, 2 when it was called wrongly.
 *
 *   npm run check                     all gates
 *   npm run check -- --only lint      some of them (repeatable)
 *   npm run check -- --fix            rewrites first what a machine can: generated files, formatting, lint fixes
 */
import path from 'node:path';
import { parseArgs } from 'node:util';

import { createGates, gateNames, isGateName } from './check/gates.ts';
import { runGates } from './check/run-gates.ts';

/** The machine that this has to be pleasant on has two cores, and types and lint fill one each. */
const gatesAtOnce = 2;

const root = path.dirname(import.meta.dirname);

const command = parseCommand();
if (typeof command === 'string') {
  process.stderr.write(`check: ${command}\n`);
  process.exitCode = 2;
} else {
  const outcome = await check(command);
  process.exitCode = outcome.failed.length === 0 ? 0 : 1;
}

type Command = { fix: boolean; only: string[] };

/** A string says what is wrong with the arguments. */
function parseCommand(): Command | string {
  try {
    const { values } = parseArgs({ options: { fix: { type: 'boolean' }, only: { type: 'string', multiple: true } } });
    const { fix = false, only = [] } = values;
    const unknown = only.filter((name) => !isGateName(name));
    return unknown.length === 0
      ? { fix, only }
      : `there is no gate ${unknown.join(', ')}: choose from ${gateNames.join(', ')}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function check({ fix, only }: Command) {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  return await runGates(
    createGates({ root, fix }).filter(({ name }) => only.length === 0 || only.includes(name)),
    {
      // What rewrites files must not race with what reads them.
      gatesAtOnce: fix ? 1 : gatesAtOnce,
      signal: stop.signal,
      print: (line) => process.stdout.write(`${line}\n`),
    },
  );
}

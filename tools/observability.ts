/**
 * `npm run observability:check` and `npm run observability:generate`: what watches the fleet is made from data, committed, and held
 * against it.
 *
 *   npm run observability:generate                   writes rules, their tests, Alertmanager's files, dashboards and the facts on alert pages
 *   npm run observability:check                      all gates; promtool and amtool are found, or fetched once
 *   npm run observability:check -- --only rules      some of them (repeatable)
 *
 * Exit code: 0 all passed, 1 a gate failed, 2 called wrongly.
 */
import { locateMonitoring } from '@omnizap/embedded';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { generateAlertFiles } from '../observability/generated-files.ts';
import { generateDashboards } from '../observability/grafana/dashboards.ts';
import { chooseGates, gateNames } from './observability/choose-gates.ts';
import { runGates } from './check/run-gates.ts';

/** promtool fills a core. */
const gatesAtOnce = 2;

const root = path.dirname(import.meta.dirname);

/** Everything that is generated: another generator is one more line here. */
const generators: readonly ((root: string) => ReadonlyMap<string, string>)[] = [generateAlertFiles, generateDashboards];

const help = `usage: npm run observability:check -- [--only GATE] (repeatable)
       npm run observability:generate

check     holds rules, alerts, their tests, Alertmanager's files and dashboards against the data that they are made from, and lets
          Prometheus watch a running fleet. Gates: ${gateNames.join(', ')}. promtool and amtool are found,
          or fetched once. Exit code: 0 all passed, 1 one failed, 2 called wrongly.
generate  writes those files and the facts on alert pages.
`;

const command = parseCommand();
if (command === 'help') process.stdout.write(help);
else if (typeof command === 'string') {
  process.stderr.write(`observability: ${command}\n`);
  process.exitCode = 2;
} else if (command.does === 'generate') await generate();
else process.exitCode = (await check(command.only)) ? 0 : 1;

type Command = { does: 'generate' } | { does: 'check'; only: string[] };

/** A string says what is wrong with the arguments; `help` asks for it. */
function parseCommand(): Command | string {
  try {
    const options = { only: { type: 'string', multiple: true }, help: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (values.help === true) return 'help';
    const [does, ...rest] = positionals;
    if (rest.length > 0) return `what is ${rest.join(' ')}?`;
    const { only = [] } = values;
    if (does === 'generate') return only.length === 0 ? { does } : '--only goes with check';
    if (does !== 'check') return 'say check or generate';
    const unknown = only.filter((name) => !gateNames.some((known) => known === name));
    return unknown.length === 0
      ? { does, only }
      : `there is no gate ${unknown.join(', ')}: choose from ${gateNames.join(', ')}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function allGenerated(): Map<string, string> {
  return new Map(generators.flatMap((generator) => [...generator(root)]));
}

async function generate(): Promise<void> {
  for (const [file, text] of allGenerated()) {
    const target = path.join(root, file);
    if ((await readFile(target, 'utf8').catch(() => null)) === text) continue;
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
    process.stdout.write(`written ${file}\n`);
  }
}

async function check(only: readonly string[]): Promise<boolean> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const tools = await locateMonitoring({
    cacheDir: path.join(root, '.cache', 'monitoring'),
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const { failed } = await runGates(chooseGates({ root, only, tools, generate: allGenerated }), {
    gatesAtOnce,
    signal: stop.signal,
    print: (line) => process.stdout.write(`${line}\n`),
  });
  return failed.length === 0;
}

/**
 * tuning.md against the code and against a host under the real pm2: its defaults and limits are those of the configuration, its
 * metrics are exported with those labels, and its blocks do what it says.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@omnizap/runtime';
import { ask, waitFor } from '@omnizap/testkit';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { stableFolder } from '../../deploy/pm2/test/pm2-host.ts';
import { runCommand } from '../../deploy/pm2/test/run-command.ts';
import { openOperatedHost, patience, type OperatedHost } from './operated-host.ts';

const url = 'postgres://127.0.0.1/none';
const defaults: Record<string, unknown> = loadConfig({ DATABASE_URL: url });
/** `| `NAME` | default | least | most | ...` */
const settingsOf = (page: string) =>
  [...page.matchAll(/^\| `(STICKER_\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, name = '', ...cells]) => ({ name, cells: cells.map((cell) => cell.trim()) }),
  );

/** `metric{label="value"}` and bare names, wherever on the page. */
const metricsOf = (page: string) =>
  [...page.matchAll(/\b(omnizap_\w+?)(?:_bucket|_count|_sum)?\b(?:\{([^}\n]*)\})?/g)].map(
    ([, name = '', labels = '']) => ({
      name,
      labels: [...labels.matchAll(/(\w+)="(\w+)"/g)].map(([label]) => label),
    }),
  );

const refusalOf = (environment: Record<string, string>): string => {
  try {
    loadConfig({ DATABASE_URL: url, ...environment });
    return 'taken';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

let page: string;
beforeAll(async () => {
  page = await readFile(path.join(stableFolder, 'runbooks/tuning.md'), 'utf8');
});

describe('the settings of tuning.md', () => {
  it('are the tunables of the contract, each with a section', async () => {
    const contract = await readFile(path.join(stableFolder, 'runbooks/contract.md'), 'utf8');
    const [, line = ''] = /^Tunables of the runbook([^]*?)^Catalogue:/m.exec(contract) ?? [];
    const promised = [...line.matchAll(/`(STICKER_\w*)(?:\{([\w,]+)\}(\w+))?`/g)].flatMap(
      ([, start = '', kinds, end = '']) => kinds?.split(',').map((kind) => start + kind + end) ?? [start],
    );
    const names = settingsOf(page).map(({ name }) => name);

    expect(names).toEqual(promised);
    expect(names.filter((name) => !page.includes(`\n## ${name}\n`))).toEqual([]);
  });

  it('have the defaults and limits of the configuration', () => {
    const read = settingsOf(page);
    expect(read).toHaveLength(6);
    for (const { name, cells } of read) {
      const [usual, least = 0, most = 0] = cells.map(Number);
      const refusal = expect.stringContaining(`  ${name} must be a whole number from ${least} to ${most}`);

      expect([name, usual]).toEqual([name, defaults[name]]);
      expect([least, most].map((value) => refusalOf({ [name]: String(value) }))).toEqual(['taken', 'taken']);
      expect([least - 1, most + 1, '90s'].map((value) => refusalOf({ [name]: String(value) }))).toEqual(
        Array(3).fill(refusal),
      );
    }
  });
});

describe('a host that is tuned by the page', () => {
  let operated: OperatedHost;

  beforeAll(async () => {
    operated = await openOperatedHost('postgres');
    const run = (command: 'migrate' | 'pm2', ...args: string[]) =>
      runCommand(stableFolder, command, args, operated.host.env);
    expect(await run('migrate', 'up')).toMatchObject({ code: 0 });
    expect(await run('pm2', 'start', 'deploy/pm2/ecosystem.prod.config.cjs')).toMatchObject({ code: 0 });
    await operated.host.markDaemon();
    const apiUrl = `http://127.0.0.1:${operated.host.env.PORT}`;
    await waitFor(async () => (await ask(`${apiUrl}/readyz`)).status === 200, patience);
    // Before its worker is there, the first sticker would be the inline poller's.
    await waitFor(async () => (await ask(`${apiUrl}/api/ops/targets`)).bytes.includes('classification'), {
      ...patience,
      description: 'the classification worker',
    });
    await operated.waitUntilReady(await operated.upload(2));
    const { owner, packKey } = await operated.client();
    await owner.publish(packKey);
    await waitFor(async () => (await owner.list()).data.length > 0, { ...patience, description: 'a ranking' });
  }, 240_000);
  afterAll(() => operated.close(), 60_000);

  /** What every process says of itself, as one text. */
  async function everyMetric(): Promise<string> {
    const answer = await ask(`http://127.0.0.1:${operated.host.env.PORT}/api/ops/targets`);
    const targets = answer.json<{ targets: string[] }[]>().flatMap((entry) => entry.targets);
    const texts = await Promise.all(targets.map(async (target) => await ask(`http://${target}/metrics`)));
    return texts.map(({ bytes }) => bytes.toString('utf8')).join('\n');
  }

  it('exports each metric that the page names, with those labels', async () => {
    const named = metricsOf(page);
    expect(named.length).toBeGreaterThan(8);
    const missingIn = (text: string) =>
      named.filter(({ name, labels }) => {
        // A counter without labels on the page may have counted nothing yet.
        const lines = text.split('\n').filter((line) => line.startsWith(labels.length > 0 ? name : `# TYPE ${name} `));
        return !lines.some((line) => labels.every((label) => line.includes(label)));
      });
    // Depths are counted every 15 s, and a theme is curated some seconds after its stickers.
    await waitFor(async () => missingIn(await everyMetric()).length === 0, patience).catch(() => undefined);

    expect(missingIn(await everyMetric())).toEqual([]);
  }, 120_000);

  /** The value that the processes of that name run with. */
  async function valuesOf(variable: string, processes: string[]): Promise<(string | undefined)[]> {
    const pids = (await operated.host.listed()).filter(({ name }) => processes.includes(name)).map(({ pid }) => pid);
    const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8')));
    return environments.map((text) => {
      const line = text.split('\0').find((entry) => entry.startsWith(`${variable}=`));
      return line?.slice(variable.length + 1);
    });
  }

  it('shows what the page says, takes a change as it says, and gives it back', async () => {
    const runbook = await operated.open('tuning', { 'release verify': 'release verify --observe 0' });
    for (const title of runbook.left().filter((title) => title.startsWith('STICKER_'))) await runbook.run(title);
    await runbook.run('What is refused');
    await runbook.run('Change one: the maintenance process');
    expect(await valuesOf('STICKER_WORKER_CLASSIFICATION_CADENCE_MS', ['maintenance'])).toEqual(['60000']);
    await runbook.run('Change one: pollers');
    const pollers = ['api', 'worker-classification', 'worker-curation', 'worker-rebuild'];
    expect(await valuesOf('STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS', pollers)).toEqual(Array(5).fill('1250'));
    await runbook.run('Back to the default');
    expect(await valuesOf('STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS', pollers)).toEqual(Array(5).fill(''));
    expect(runbook.left()).toEqual([]);
  }, 300_000);
});

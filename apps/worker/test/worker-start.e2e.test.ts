/** A worker that cannot do its job says so in one line and leaves with code 2, so that a supervisor need not guess. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnProcess, waitFor } from '@omnizap/testkit';
import { workerKinds } from '@omnizap/catalog';
import { defaultPorts } from '../compose.ts';

/** Nobody answers there: what is wrong must be found before a database is asked. */
const unreachable = 'postgres://nobody:secret-word@127.0.0.1:1/none';

let dataDir: string;
let holder: Server;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'omnizap-worker-'));
  holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => holder.close(resolve));
  await rm(dataDir, { recursive: true, force: true });
});

async function run(
  entry: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; lines: string[] }> {
  const settings = { STICKER_DATA_DIR: dataDir, LOG_FORMAT: 'json', ...env };
  const process = await spawnProcess(entry, args, settings, { waitForReady: false });
  const { code } = await process.exited;
  // The end of a process and the end of its output are two events.
  await waitFor(() => process.output().endsWith('\n'), { description: `output of ${entry}` });
  return { code, lines: process.output().trimEnd().split('\n') };
}

const worker = 'apps/worker/main.ts';

describe('a worker that cannot start', () => {
  it.each([
    ['no type', []],
    ['an unknown type', ['delivery-by-owl']],
    ['a type in capitals', ['Curation']],
  ])('leaves with code 2 and one line that lists the types when it is given %s', async (_title, args) => {
    const { code, lines } = await run(worker, args, { DATABASE_URL: unreachable });

    expect([code, lines.length]).toEqual([2, 1]);
    for (const kind of workerKinds) expect(lines[0]).toContain(kind);
    if (args[0] !== undefined) expect(lines[0]).toContain(`"${args[0]}"`);
  });

  it.each([
    [worker, ['classification'], 'WORKER_PORT'],
    ['apps/api/main.ts', [], 'PORT'],
    ['apps/relay/main.ts', [], 'RELAY_PORT'],
    ['apps/maintenance/main.ts', [], 'MAINTENANCE_PORT'],
  ])(
    '%s %p leaves with code 2 and one line without a database, and when its port is taken',
    async (entry, args, portVariable) => {
      const { port } = holder.address() as AddressInfo;
      const taken = { DATABASE_URL: unreachable, [portVariable]: String(port), LOG_LEVEL: 'warn' };
      const [withoutDatabase, withoutPort] = await Promise.all([run(entry, args), run(entry, args, taken)]);

      expect([withoutDatabase.code, withoutDatabase.lines]).toEqual([
        2,
        [expect.stringMatching(/DATABASE_URL.*npm start/)],
      ]);
      expect([withoutPort.code, withoutPort.lines]).toEqual([
        2,
        [expect.stringMatching(new RegExp(`Port ${port} .* is taken: set ${portVariable} `))],
      ]);
    },
  );

  it('lists every wrong setting at once and prints no value', async () => {
    const { code, lines } = await run(worker, ['rebuild'], {
      DATABASE_URL: 'oracle://user:secret-word@host/db',
      HTTP_SLO_TARGET_MS: 'soon',
      STICKER_PACK_MAX_ITEMS: '0',
    });

    expect(code).toBe(2);
    for (const name of ['DATABASE_URL', 'HTTP_SLO_TARGET_MS', 'STICKER_PACK_MAX_ITEMS']) {
      expect(lines.filter((line) => line.includes(name))).toHaveLength(1);
    }
    expect(lines.join('\n')).not.toMatch(/secret-word|soon/);
  });
});

describe('the default ports of the workers', () => {
  it('are those of the contract', async () => {
    const contract = await readFile(path.join(import.meta.dirname, '../../../runbooks/contract.md'), 'utf8');
    const [, kinds = '', ports = ''] = /^\| worker ([\w /]+?) \*\(later\)\* \| ([\d /]+) \|/m.exec(contract) ?? [];
    const promised = Object.fromEntries(
      kinds.split(' / ').map((kind, index) => [kind, Number(ports.split(' / ')[index])]),
    );

    expect(promised).toMatchObject(defaultPorts);
  });
});

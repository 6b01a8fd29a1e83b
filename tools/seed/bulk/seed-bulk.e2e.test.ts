/** A made-up catalogue under the real fleet: everything that it lists is served, and nobody finds work in it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import {
  createCatalogueClient,
  startFleet,
  testDatabaseKinds,
  waitFor,
  type CatalogueClient,
  type Fleet,
} from '@omnizap/testkit';
import { planPack } from './plan-packs.ts';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
const packCount = 60;
const seed = 5;
const patience = { timeoutMs: 90_000, intervalMs: 250 };

describe.each(testDatabaseKinds())('a catalogue seeded in bulk on %s', (kind) => {
  let fleet: Fleet;
  let anybody: CatalogueClient;
  const planned = Array.from({ length: packCount }, (_, index) => planPack(seed, index + 1));
  const listed = planned.filter(({ visibility, status }) => visibility === 'public' && status === 'published');

  beforeAll(async () => {
    fleet = await startFleet(kind, {
      processes: ['api', 'maintenance'],
      env: {
        STICKER_WORKER_CLASSIFICATION_CADENCE_MS: '1000',
        STICKER_WORKER_CURATION_CADENCE_MS: '1000',
        STICKER_WORKER_REBUILD_CADENCE_MS: '1000',
      },
    });
    anybody = createCatalogueClient(fleet.apiUrl);
    expect(await run('tools/seed.ts', '--packs', String(packCount), '--seed', String(seed))).toMatchObject({ code: 0 });
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  async function run(...args: string[]): Promise<{ code: number | null; out: string }> {
    const env = { PATH: process.env.PATH ?? '', ...fleet.env };
    const child = spawn(process.execPath, args, { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (out += text));
    return { code: await new Promise((resolve) => child.once('close', resolve)), out };
  }

  it('is listed in full', async () => {
    const keys = await waitFor(
      async () => {
        const { data } = await anybody.list('?limit=60&include_sensitive=true');
        return data.length === listed.length && data.map(({ pack_key }) => pack_key);
      },
      { ...patience, description: `${listed.length} packs in the list` },
    );

    expect(keys.toSorted()).toEqual(listed.map(({ packKey }) => packKey).toSorted());
  }, 120_000);

  it('shows every pack with all of its stickers, and the bytes of each', async () => {
    const files = new Map<string, string>();
    for (const { packKey, name } of listed) {
      const pack = await anybody.pack(packKey);
      expect([pack.name, pack.stickers.length]).toEqual([name, 20]);
      for (const { asset_url, preview_url } of pack.stickers)
        for (const url of [asset_url, preview_url])
          files.set(new URL(url ?? '', fleet.apiUrl).searchParams.toString(), url ?? '');
    }
    // 48 pictures, each as a sticker and as a preview; the animated ones only when there is an animated pack.
    expect(files.size).toBeGreaterThanOrEqual(72);
    for (const url of files.values()) {
      const { status, headers, bytes } = await anybody.get(url);
      expect([status, headers['content-type']]).toEqual([200, 'image/webp']);
      const hash = createHash('sha256').update(bytes).digest('hex');
      expect(hash.slice(0, 16)).toBe(new URL(url, fleet.apiUrl).searchParams.get('v'));
    }
  }, 120_000);

  it('is found by the words of names, and by what emojis mean in three languages', async () => {
    const find = async (query: string): Promise<string[]> =>
      (await anybody.list(`?limit=60&include_sensitive=true&q=${encodeURIComponent(query)}`)).data.map(
        ({ pack_key }) => pack_key,
      );
    for (const { name, packKey } of listed.slice(0, 10)) expect(await find(name)).toContain(packKey);
    const cats = await find('🐱');
    expect(cats.length).toBeGreaterThan(0);
    for (const word of ['cat', 'gato']) for (const key of cats) expect(await find(word)).toContain(key);
  }, 60_000);

  it('gives nobody anything to do', async () => {
    const { knex } = fleet.database;
    // Sweeps say only what they find: one thing that is due shows that they went by.
    await knex('work_state').insert({ task_type: 'rebuild', subject_id: 'the-only-one' });
    const sweeps = (): unknown[] =>
      fleet
        .process('maintenance')
        .output()
        .split('\n')
        .filter((line) => line.includes('a sweep found work'))
        .map((line) => JSON.parse(line) as unknown);
    await waitFor(() => sweeps().length > 0, { ...patience, description: 'a sweep' });

    for (const found of sweeps()) expect(found).toMatchObject({ task_type: 'rebuild', subjects: 1 });
    expect(await knex('work_state').where({ is_due: 1 }).pluck('subject_id')).toEqual(['the-only-one']);
    expect(await knex('domain_event_outbox').pluck('id')).toEqual([]);
    const doctor = await run('apps/cli/main.ts', 'doctor', '--json', '--only', 'database,migrations,outbox');
    expect(doctor.code).toBe(0);
    expect(doctor.out).not.toMatch(/"severity":\s*"(warn|fail)"/);
  }, 60_000);
});

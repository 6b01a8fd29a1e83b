/**
 * runbooks/contract.md against the running system: what it names is there and is spelled so, and nothing public is missing from it.
 * What is not built yet stands in a list here; building it makes the list wrong, so that it cannot be forgotten.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sorts, taskTypes } from '@omnizap/catalog';
import { affectedRows, loadConfig, rowsOf } from '@omnizap/runtime';
import type { Config } from '@omnizap/runtime';
import {
  createCatalogueClient,
  drawPng,
  fleetProcesses,
  spawnProcess,
  startFleet,
  testDatabaseKinds,
  waitFor,
} from '@omnizap/testkit';
import type { CatalogueClient, Fleet, PackListJson } from '@omnizap/testkit';
import { expand, fieldPaths, operationsOf, pathsOf, readContract, withoutLater } from './read-contract.ts';
import type { Contract } from './read-contract.ts';

/** Operations that every release has had since the first. */
const coreOperations = [
  'GET /api/sticker-packs',
  'GET /api/sticker-packs/{}',
  'GET /api/sticker-packs/{}/stickers/{}.webp',
  'POST /api/sticker-packs/{}/open',
  'POST /api/sticker-packs/{}/like',
  'POST /api/sticker-packs/{}/dislike',
  'POST /api/sticker-packs',
  'POST /api/sticker-packs/{}/stickers',
  'POST /api/sticker-packs/{}/publish',
  'DELETE /api/sticker-packs/{}',
  'POST /api/admin/api-keys',
  'DELETE /api/admin/api-keys/{}',
  'GET /api/ops/targets',
  'GET /openapi.json',
];
/** Read by npm start, npm test or the pm2 profiles, by a library of others, or by what is not built yet. */
const settingsReadElsewhere =
  /^(OTEL_|WORKER_\w+_PORT$|STICKER_API_URL$|STICKER_DEMO$|STICKER_TEST_MYSQL_URL$|RELEASE_DIR$|PM2_HOME$)/;
const settingsNotBuilt: string[] = [];

const names = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name = '']) => name);
const firstMatch = (text: string, pattern: RegExp): string => {
  const [, found] = pattern.exec(text) ?? [];
  if (found === undefined) throw new Error(`The contract no longer says ${String(pattern)}`);
  return found;
};

let contract: Contract;
beforeAll(async () => {
  contract = await readContract();
});

describe('the settings of the contract', () => {
  const defaults = loadConfig({ DATABASE_URL: 'postgres://127.0.0.1/none' });
  const withoutDefault = {
    ADMIN_TOKEN: 'x'.repeat(16),
    METRICS_TOKEN: 'x'.repeat(16),
    LOG_FORMAT: 'json',
    ADVERTISE_ADDRESS: 'x',
    ROLLOUT_PLANS_DIR: 'x',
    PROMETHEUS_URL: 'http://127.0.0.1:9090',
    STICKER_WEB_ASSET_VERSION: 'x',
    STICKER_OBJECT_STORAGE_BUCKET: 'bucket',
    STICKER_OBJECT_STORAGE_ENDPOINT: 'https://storage.test',
    STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: 'x',
    STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: 'x',
    STICKER_OBJECT_STORAGE_FORCE_PATH_STYLE: 'true',
    STICKER_OBJECT_STORAGE_CDN_BASE_URL: 'https://cdn.test',
    STICKER_CDN_PURGE_URL: 'https://cdn.test/purge',
    STICKER_CDN_PURGE_TOKEN: 'x'.repeat(16),
    STICKER_SIGNED_URL_SECRET: 'x'.repeat(32),
  };
  const everything = loadConfig({ DATABASE_URL: defaults.DATABASE_URL, ...withoutDefault });
  const known = (name: string): name is keyof Config => name in everything;

  it('have the default ports of section 2', () => {
    const rows = names(contract.section(2), /^\| (?:api|relay|maintenance)[^|]*\|([^|]*\|[^|]*)\|/gm);
    const ports = rows.map((row) => [firstMatch(row, /`(\w+)`/), Number(firstMatch(row, /(\d+)/))]);

    expect(ports).toEqual([
      ['PORT', defaults.PORT],
      ['RELAY_PORT', defaults.RELAY_PORT],
      ['MAINTENANCE_PORT', defaults.MAINTENANCE_PORT],
    ]);
    expect(defaults.BIND_ADDRESS).toBe(firstMatch(contract.section(2), /All bind ([\d.]+)/));
  });

  it('are read by those names with those defaults, apart from what is not built', () => {
    const text = withoutLater(contract.section(3).replace(/^Delivery \*\(later\)\*:.*$/m, ''));
    const entries = [...text.matchAll(/`([A-Z][A-Z_{},|a-z()]*_[A-Z_{},|()a-z]*|PORT)`(?: \(([^)]*)\))?/g)].flatMap(
      ([, name = '', note = '']) =>
        expand(name).map((one, index) => ({
          name: one,
          note: note.split(', ').length > 1 && name.includes('{') ? (note.split(/[,:] ?/)[index] ?? '') : note,
        })),
    );
    expect(entries.length).toBeGreaterThan(20);

    const unknown = entries.map(({ name }) => name).filter((name) => !known(name) && !settingsReadElsewhere.test(name));
    expect(unknown.toSorted()).toEqual(settingsNotBuilt);
    for (const { name, note } of entries) {
      const value: unknown = known(name) ? defaults[name] : undefined;
      if (typeof value === 'number')
        expect([name, note]).toEqual([name, expect.stringMatching(new RegExp(`^${value}\\b`))]);
    }
  });
});

describe('the operator CLI of the contract', () => {
  it('has the groups and commands of section 8, and no others', async () => {
    const cli = await spawnProcess('apps/cli/main.ts', ['--help', '--json'], {}, { waitForReady: false });
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    const { groups } = JSON.parse(cli.output()) as { groups: { name: string; commands: { name: string }[] }[] };
    const built = groups.flatMap((group) => group.commands.map((command) => `${group.name} ${command.name}`.trim()));
    const promised = [
      ...withoutLater(contract.section(8)).matchAll(/`([a-z]+)(?: ([a-z][a-z-]*(?:\|[a-z][a-z-]*)*))?`/g),
    ].flatMap(([, group = '', commands = '']) => commands.split('|').map((command) => `${group} ${command}`.trim()));

    expect(built.toSorted()).toEqual(promised.toSorted());
  });
});

describe.each(testDatabaseKinds())('the contract on %s', (kind) => {
  let fleet: Fleet;
  let own: CatalogueClient;
  let anybody: CatalogueClient;
  let packKey: string;

  beforeAll(async () => {
    fleet = await startFleet(kind);
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    anybody = createCatalogueClient(fleet.apiUrl);
    packKey = await own.createPack({ name: 'Contract' });
    await own.addStickers(packKey, [{ bytes: drawPng(1), emojis: ['🙂'] }]);
    await own.publish(packKey);
    await anybody.interact(packKey, 'open');
    await waitFor(async () => (await anybody.list()).data.length > 0, {
      timeoutMs: 45_000,
      description: 'the pack in the list',
    });
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  it('names every operation of the API, and the API has the core ones', async () => {
    const document = (await anybody.get('/openapi.json')).json<{
      openapi: string;
      paths: Record<string, Record<string, object>>;
    }>();
    const built = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '{}')}`),
    );
    const promised = operationsOf(withoutLater(contract.section(4)));

    expect(document.openapi).toMatch(/^3\.1\./);
    expect(built.filter((operation) => !promised.has(operation))).toEqual([]);
    expect(coreOperations.filter((operation) => !built.includes(operation) || !promised.has(operation))).toEqual([]);
  });

  it('shows packs, stickers and pages with exactly the fields of section 4', async () => {
    const section = contract.section(4);
    const summaryFields = fieldPaths(firstMatch(section, /Pack summary: `([^`]+)`/));
    const list = (await anybody.get('/api/sticker-packs')).json<PackListJson>();
    expect(pathsOf(list.data[0] ?? {})).toEqual(summaryFields);
    expect(pathsOf(list)).toEqual(
      fieldPaths(firstMatch(section, /Lists: `\{([^`]+)\}`/).replace(/:\[[^\]]*\]|:(?=\{)/g, '')),
    );

    const { stickers, ...summary } = await anybody.pack(packKey);
    expect(pathsOf(summary)).toEqual(summaryFields);
    expect(pathsOf(stickers[0] ?? {})).toEqual(
      fieldPaths(firstMatch(section, /summary plus `stickers\[\]`: `([^`]+)`/)),
    );

    const created = await own.call('POST', '/api/sticker-packs', { body: { name: 'Another' } });
    const ownerFields = [...summaryFields, ...fieldPaths(firstMatch(section, /also has `(moderation\{[^`]+)`/))];
    expect([created.status, pathsOf(created.json<{ data: object }>().data)]).toEqual([201, ownerFields.toSorted()]);
    expect(created.json<{ data: { status: string } }>().data.status).toBe('draft');
    const { data } = (await own.addSticker(packKey, { bytes: drawPng(2) })).json<{ data: object }>();
    expect(pathsOf(data)).toEqual(fieldPaths(firstMatch(section, /-> 202 `\{data:\{([^}]+)\}\}`/)));
  });

  it('offers the sorts and page sizes of section 4', async () => {
    const section = contract.section(4);
    const offered = firstMatch(section, /`sort=(\w+(?:\|\w+)+)`/).split('|');
    expect(offered).toEqual([...sorts]);
    for (const sort of offered) expect((await anybody.get(`/api/sticker-packs?sort=${sort}`)).status).toBe(200);
    expect(
      (await anybody.get('/api/sticker-packs')).bytes.equals(
        (await anybody.get('/api/sticker-packs?sort=popular')).bytes,
      ),
    ).toBe(true);
    const [, most, usual] = /`limit` 1\.\.(\d+) \(default (\d+)\)/.exec(section) ?? [];
    expect((await anybody.list()).pagination.limit).toBe(Number(usual));
    expect((await anybody.list(`?limit=${most}`)).pagination.limit).toBe(Number(most));
  });

  it('describes errors with the fields of section 4', async () => {
    const problem = (await own.call('POST', '/api/sticker-packs', { body: {} })).json<object>();

    const fields = firstMatch(contract.section(4), /`(type,title,[\w,]+)`/).split(',');
    expect(Object.keys(problem)).toEqual([...fields, 'errors']);
  });

  it('has the tables and columns of section 5', async () => {
    const tables = [...withoutLater(contract.section(5)).matchAll(/`([a-z]+(?:_[a-z]+)+)(?:\(([^)`]*)\))?`/g)]
      .map(([, table = '', columns = '']) => ({
        table,
        columns: columns.split(', ').filter((name) => /^\w+$/.test(name)),
      }))
      .filter(({ table }) => !['is_enabled', 'rollout_percent'].includes(table));
    expect(tables.length).toBeGreaterThanOrEqual(12);
    const { knex } = fleet.database;
    const present = rowsOf<{ t: string; c: string }>(
      await knex.raw(
        `SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = ${kind === 'mysql' ? 'DATABASE()' : "'public'"}`,
      ),
    );

    for (const { table, columns } of tables) {
      const actual = present.filter(({ t }) => t === table).map(({ c }) => c);
      expect([table, actual.length > 0]).toEqual([table, true]);
      expect([table, columns.filter((column) => !actual.includes(column))]).toEqual([table, []]);
    }
  });

  it('holds the flags of section 6 with their first values, and takes an operator’s SQL as typed', async () => {
    const { knex } = fleet.database;
    const run = async (sql: string): Promise<unknown> => await knex.raw(sql);
    const promised = [...contract.section(6).matchAll(/^\| `(\w+)` \| (on|off), (\d+) \|/gm)].map(
      ([, flag_name, state, percent]) => ({
        flag_name,
        is_enabled: state === 'on' ? 1 : 0,
        rollout_percent: Number(percent),
      }),
    );
    expect(promised).toHaveLength(5);
    const flags = rowsOf<{ flag_name: string; is_enabled: number; rollout_percent: number; updated_at: Date }>(
      await run(
        'SELECT flag_name, is_enabled, rollout_percent, updated_by, updated_at FROM feature_flag ORDER BY flag_name;',
      ),
    );
    expect(
      flags.map(({ flag_name, is_enabled, rollout_percent }) => ({ flag_name, is_enabled, rollout_percent })),
    ).toEqual(promised.toSorted((a, b) => ((a.flag_name ?? '') < (b.flag_name ?? '') ? -1 : 1)));

    const step =
      "UPDATE feature_flag SET is_enabled = 1, rollout_percent = 25, updated_by = 'operator', updated_at = CURRENT_TIMESTAMP WHERE flag_name = 'enable_object_storage_delivery';";
    expect(affectedRows(await run(step))).toBe(1);
    const [after] = rowsOf(
      await run(
        "SELECT is_enabled, rollout_percent, updated_by FROM feature_flag WHERE flag_name = 'enable_object_storage_delivery';",
      ),
    );
    expect(after).toEqual({ is_enabled: 1, rollout_percent: 25, updated_by: 'operator' });
    const on = rowsOf<{ flag_name: string }>(await run('SELECT flag_name FROM feature_flag WHERE is_enabled = 1;'));
    expect(on).toHaveLength(promised.filter(({ is_enabled }) => is_enabled === 1).length + 1);
    expect(
      affectedRows(
        await run(
          "UPDATE feature_flag SET is_enabled = 0, rollout_percent = 0 WHERE flag_name = 'enable_object_storage_delivery';",
        ),
      ),
    ).toBe(1);
    for (const wrong of ['rollout_percent = 101', 'rollout_percent = -1', 'is_enabled = 2']) {
      await expect(
        run(`UPDATE feature_flag SET ${wrong} WHERE flag_name = 'enable_object_storage_delivery';`),
      ).rejects.toThrow(/check|constraint/i);
    }
  });

  it('announces the events and runs the task types of section 5', async () => {
    const section = withoutLater(contract.section(5));
    const promisedEvents = names(firstMatch(section, /^Events: (.*?)Task types:/m), /`([A-Z_]+)`/g);
    const promisedTasks = names(firstMatch(section, /Task types: (.*)$/m), /`(\w+)`/g);
    const again = await own.createPack({ name: 'Shared' });
    const shared = await own.addSticker(again, { bytes: drawPng(1), emojis: ['🙂'] });
    expect(shared.status).toBe(202);
    const { sticker_id: stickerId } = shared.json<{ data: { sticker_id: string } }>().data;
    const operator = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
    await operator.call('POST', `/api/admin/stickers/${stickerId}/take-down`, { body: { reason: 'A test' } });

    const events = await waitFor(async () => {
      const seen = await fleet.database
        .knex('domain_event_outbox')
        .distinct()
        .orderBy('event_type')
        .pluck<string[]>('event_type');
      return promisedEvents.every((type) => seen.includes(type)) && seen;
    });
    expect(events).toEqual(promisedEvents.toSorted());
    expect([...taskTypes].toSorted()).toEqual(promisedTasks.toSorted());
    const worked = await fleet.database.knex('work_state').distinct().pluck<string[]>('task_type');
    expect(worked.filter((type) => !promisedTasks.includes(type))).toEqual([]);
  });

  it('lists every process for Prometheus, each alive, ready and where it says', async () => {
    const targets = (await anybody.get('/api/ops/targets')).json<
      { targets: string[]; labels: Record<string, string> }[]
    >();

    expect(targets.map(({ labels }) => labels.process).toSorted()).toEqual([...fleetProcesses].toSorted());
    for (const { targets: hosts, labels } of targets) {
      const url = `http://${hosts[0]}`;
      expect(url).toBe(fleet.process(labels.process as (typeof fleetProcesses)[number]).url);
      for (const path of ['/healthz', '/readyz', '/metrics']) {
        expect([labels.process, path, (await createCatalogueClient(url).get(path)).status]).toEqual([
          labels.process,
          path,
          200,
        ]);
      }
    }
  });
});

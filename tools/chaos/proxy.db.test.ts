import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase } from '@omnizap/runtime';
import type { Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds } from '@omnizap/testkit';
import type { TestDatabase } from '@omnizap/testkit';
import { createProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';

/** The product's own way to its databases, through the proxy. */
describe.each(testDatabaseKinds())('commits through the proxy on %s', (kind) => {
  let test: TestDatabase;
  let proxy: Proxy;
  let through: Database;
  let direct: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    const { hostname, port } = new URL(test.databaseUrl);
    proxy = await createProxy(kind, () => ({ host: hostname, port: Number(port) }));
    const url = new URL(test.databaseUrl);
    url.port = String(proxy.port);
    through = connectDatabase(url.href, { poolMax: 2 });
    direct = connectDatabase(test.databaseUrl, { poolMax: 1 });
    await direct.knex.schema.createTable('note', (table) => void table.string('text', 60).primary());
  });
  afterAll(async () => {
    await through.close();
    await direct.close();
    await proxy.close();
    await test.drop();
  });

  const write = (text: string) => through.transaction((trx) => trx('note').insert({ text }));
  const isThere = async (text: string): Promise<boolean> =>
    (await direct.knex('note').where({ text }).first<object | undefined>('text')) !== undefined;
  const always = { isHit: () => true, silenceMs: 0 };

  it('take effect although the client sees its connection break', async () => {
    await write('before');

    proxy.faultCommits({ action: 'swallow', ...always });
    await expect(write('swallowed')).rejects.toThrow();
    proxy.heal();

    expect(await isThere('swallowed')).toBe(true);
    expect(proxy.hits()).toBe(1);
  });

  it('never reach the server when they are refused', async () => {
    proxy.faultCommits({ action: 'refuse', ...always });
    await expect(write('refused')).rejects.toThrow();
    proxy.heal();

    await write('after');
    expect(await isThere('refused')).toBe(false);
    expect(await isThere('after')).toBe(true);
  });

  it('include changes outside of a transaction, which is where the relay marks', async () => {
    proxy.faultCommits({ action: 'swallow', ...always });
    await expect(through.knex('note').insert({ text: 'alone' })).rejects.toThrow();
    proxy.heal();

    expect(await isThere('alone')).toBe(true);
  });
});

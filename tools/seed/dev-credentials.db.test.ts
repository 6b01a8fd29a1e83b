import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiKeys } from '@omnizap/catalog';
import { connectDatabase, loadConfig, migrateUp, type Config, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { ensureDevCredentials, readDevCredentials } from './dev-credentials.ts';

describe.each(testDatabaseKinds())('ensureDevCredentials on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let dataDir: string;
  let settings: Record<string, string>;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 2, applicationName: 'seed test' });
    await migrateUp(database);
    dataDir = await mkdtemp(path.join(tmpdir(), 'omnizap-credentials-'));
    settings = { DATABASE_URL: test.databaseUrl, QUEUE_DATABASE_URL: test.queueUrl, STICKER_DATA_DIR: dataDir };
  });
  afterAll(async () => {
    await database?.close();
    await test?.drop();
    if (dataDir) await rm(dataDir, { recursive: true, force: true });
  });

  const config = (extra: Record<string, string> = {}): Config => loadConfig({ ...settings, ...extra });

  it('makes a key that this catalogue accepts and a long random admin token, for the owner of the file only', async () => {
    const made = await ensureDevCredentials(config());
    expect(await createApiKeys({ database }).authenticate(made.owner_key)).toMatchObject({
      ownerId: 'demo',
      scopes: ['catalog:write'],
    });
    expect(made.admin_token.length).toBeGreaterThanOrEqual(32);
    const file = path.join(dataDir, 'dev-credentials.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(made);
  });

  it('keeps what works', async () => {
    const before = await readDevCredentials(dataDir);
    expect(await ensureDevCredentials(config())).toEqual(before);
  });

  it('takes the admin token of the environment', async () => {
    const token = 'an-admin-token-of-the-environment';
    expect((await ensureDevCredentials(config({ ADMIN_TOKEN: token }))).admin_token).toBe(token);
  });

  it('replaces a key that was revoked', async () => {
    const apiKeys = createApiKeys({ database });
    const before = await ensureDevCredentials(config());
    const holder = await apiKeys.authenticate(before.owner_key);
    await apiKeys.revoke(holder?.keyId ?? '', { actor: 'test' });
    const after = await ensureDevCredentials(config());
    expect(after.owner_key).not.toBe(before.owner_key);
    expect(await apiKeys.authenticate(after.owner_key)).not.toBeNull();
  });
});

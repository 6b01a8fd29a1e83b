import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from './config.ts';
import { isAppError } from './errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const postgres = 'postgres://omnizap:hidden-word@127.0.0.1:1/catalogue';

function refusalOf(environment: NodeJS.ProcessEnv): string {
  try {
    loadConfig(environment);
  } catch (error) {
    if (isAppError(error, 'configuration-invalid')) return error.message;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

describe('loadConfig', () => {
  it('lists every problem in one message, by name and without the values', () => {
    const wrong = {
      DATABASE_URL: 'oracle://omnizap:hidden-word@nowhere/db',
      PORT: '70000',
      WORKER_PORT: '80s',
      DATABASE_POOL_MAX: '0',
      ADMIN_TOKEN: 'hidden-word',
      WORKER_RELEASE: 'hidden-word',
      LOG_FORMAT: 'hidden-word',
      STICKER_PACK_AGE_DECAY_DAYS: '12.5',
    };

    const message = refusalOf(wrong);

    for (const name of Object.keys(wrong)) expect(message).toContain(`  ${name} `);
    expect(message.split('\n')).toHaveLength(1 + Object.keys(wrong).length);
    for (const value of ['hidden-word', 'oracle', '70000', '80s', '12.5']) expect(message).not.toContain(value);
  });

  it('takes the documented defaults, and an empty variable for an absent one', () => {
    const config = loadConfig({ DATABASE_URL: postgres, PORT: '', WORKER_PORT: '', ADMIN_TOKEN: '' });

    expect(config).toMatchObject({
      PORT: 9102,
      RELAY_PORT: 9110,
      MAINTENANCE_PORT: 9115,
      BIND_ADDRESS: '127.0.0.1',
      WORKER_RELEASE: 'stable',
      STICKER_WORKER_CLASSIFICATION_CADENCE_MS: 120_000,
      STICKER_WORKER_CURATION_CADENCE_MS: 180_000,
      STICKER_WORKER_REBUILD_CADENCE_MS: 240_000,
      STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS: 2_500,
      STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS: 300_000,
      STICKER_PACK_MAX_ITEMS: 30,
      STICKER_PACK_AGE_DECAY_DAYS: 45,
      STICKER_MODERATION_POLICY: 'approve',
      STICKER_REPORTS_HOLD_AT: 0,
    });
    expect([config.WORKER_PORT, config.ADMIN_TOKEN, config.METRICS_TOKEN]).toEqual([undefined, undefined, undefined]);
  });

  it('reads a port for the worker, 0 included', () => {
    expect(loadConfig({ DATABASE_URL: postgres, WORKER_PORT: '0' }).WORKER_PORT).toBe(0);
    expect(loadConfig({ DATABASE_URL: postgres, WORKER_PORT: '9111' }).WORKER_PORT).toBe(9111);
  });

  it('sends webhooks unless told otherwise, and to private addresses only when told so', () => {
    const read = (environment: Record<string, string>) => {
      const config = loadConfig({ DATABASE_URL: postgres, ...environment });
      return [config.STICKER_WEBHOOKS_ENABLED, config.STICKER_WEBHOOK_ALLOW_PRIVATE];
    };

    expect(read({})).toEqual([true, false]);
    expect(read({ STICKER_WEBHOOKS_ENABLED: 'false', STICKER_WEBHOOK_ALLOW_PRIVATE: 'true' })).toEqual([false, true]);
    expect(() => read({ STICKER_WEBHOOK_ALLOW_PRIVATE: 'yes' })).toThrow(/STICKER_WEBHOOK_ALLOW_PRIVATE/);
  });

  it('reads what collects stickers by itself, and refuses a name that no pack could have', () => {
    const read = (environment: Record<string, string>) => loadConfig({ DATABASE_URL: postgres, ...environment });

    for (const [given, isOn] of [['false', false] as const, ['0', false] as const, ['true', true] as const])
      expect(read({ STICKER_PACK_AUTO_COLLECT_ENABLED: given }).STICKER_PACK_AUTO_COLLECT_ENABLED).toBe(isOn);
    expect(read({ STICKER_PACK_AUTO_PACK_NAME: ' Meus 🎉 ' }).STICKER_PACK_AUTO_PACK_NAME).toBe('Meus 🎉');
    for (const name of [' ', 'a\tb', 'x'.repeat(101)])
      expect(refusalOf({ DATABASE_URL: postgres, STICKER_PACK_AUTO_PACK_NAME: name })).toMatch(/1 to 100 characters/);
  });

  it('takes several secrets for signed addresses, each of them long enough', () => {
    const [first, second] = ['f'.repeat(32), 's'.repeat(40)];
    const read = (secrets: string) =>
      loadConfig({ DATABASE_URL: postgres, STICKER_SIGNED_URL_SECRET: secrets }).STICKER_SIGNED_URL_SECRET;

    expect([read(''), read(first), read(`${first}, ${second}`)]).toEqual([[], [first], [first, second]]);
    for (const wrong of ['hidden-word', `${first},hidden-word`, `${first},`, `,${first}`]) {
      const message = refusalOf({ DATABASE_URL: postgres, STICKER_SIGNED_URL_SECRET: wrong });
      expect(message).toMatch(/STICKER_SIGNED_URL_SECRET must be secrets of at least 32 characters each/);
      expect(message).not.toMatch(/hidden-word|ffff/);
    }
  });

  it('puts the queue beside a PostgreSQL catalogue, and asks for its own address beside MySQL', () => {
    const mysql = 'mysql://omnizap:hidden-word@127.0.0.1:1/catalogue';

    expect(loadConfig({ DATABASE_URL: postgres }).QUEUE_DATABASE_URL).toBe(postgres);
    expect(loadConfig({ DATABASE_URL: mysql, QUEUE_DATABASE_URL: postgres }).QUEUE_DATABASE_URL).toBe(postgres);
    expect(refusalOf({ DATABASE_URL: mysql })).toMatch(/^DATABASE_URL is MySQL: set QUEUE_DATABASE_URL [^\n]*$/);
  });

  it('borrows the addresses of the fleet that runs on the same data directory', () => {
    const file = { database_url: 'mysql://a@127.0.0.1:1/b', queue_database_url: 'postgres://c@127.0.0.1:1/d' };
    writeFileSync(join(folder, 'runtime.json'), JSON.stringify({ ...file, something_new: 1 }));

    const borrowed = loadConfig({ STICKER_DATA_DIR: folder });
    const given = loadConfig({ STICKER_DATA_DIR: folder, DATABASE_URL: postgres });

    expect([borrowed.DATABASE_URL, borrowed.QUEUE_DATABASE_URL]).toEqual([file.database_url, file.queue_database_url]);
    expect([given.DATABASE_URL, given.QUEUE_DATABASE_URL]).toEqual([postgres, postgres]);
  });

  it('refuses in one line when neither the environment nor a running fleet names a database', () => {
    const empty = join(folder, 'nothing here');

    const message = refusalOf({ STICKER_DATA_DIR: empty });

    expect(message).toMatch(/^No database: set DATABASE_URL[^\n]*$/);
    expect(message).toContain(join(empty, 'runtime.json'));
  });
});

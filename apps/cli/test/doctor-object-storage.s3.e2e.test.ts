/** The doctor at a fleet with a real bucket (OpenStack Swift): what is wrong with it is named, and what mends it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  createCatalogueClient,
  drawPng,
  startFleet,
  startObjectStorage,
  testDatabaseKinds,
  waitFor,
  type Fleet,
  type ObjectStorage,
} from '@omnizap/testkit';
import { runOps } from './run-ops.ts';

type Finding = { severity: string; text: string; command: string | null };

const secretAccessKey = 'STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY';
const patience = { timeoutMs: 60_000, intervalMs: 500 };
const set = (name: string, value: string): string =>
  `export STICKER_OBJECT_STORAGE_${name}=${value} && npm run pm2 -- reload deploy/pm2/ecosystem.prod.config.cjs`;
/** For a process whose clock is twenty minutes ahead. */
const ahead = `--import=data:text/javascript,${encodeURIComponent('const now=Date.now;Date.now=()=>now()+1200000')}`;

describe.each(testDatabaseKinds())('the doctor and the bucket on %s', (kind) => {
  let storage: ObjectStorage;
  let fleet: Fleet;
  let env: Record<string, string>;
  const servers: { server: Server; sockets: Set<Socket> }[] = [];

  beforeAll(async () => {
    storage = await startObjectStorage();
    const { endpoint, region, bucket, accessKeyId } = storage;
    fleet = await startFleet(kind, {
      env: {
        STICKER_OBJECT_STORAGE_ENDPOINT: endpoint,
        STICKER_OBJECT_STORAGE_REGION: region,
        STICKER_OBJECT_STORAGE_BUCKET: bucket,
        STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: accessKeyId,
        [secretAccessKey]: storage.secretAccessKey,
      },
      processes: ['api', 'relay', 'worker-classification', 'worker-rebuild'],
    });
    ({ env } = fleet);
  }, 180_000);
  afterAll(async () => {
    for (const { server, sockets } of servers) {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
    await fleet?.stop();
    await storage?.stop();
  }, 60_000);

  async function look(own: Record<string, string> = {}): Promise<Finding[]> {
    const run = await runOps({ ...env, ...own }, 'doctor', '--json', '--only', 'object-storage');
    if (run.out === '') throw new Error(`The doctor said nothing: ${run.err}`);
    for (const secret of [storage.secretAccessKey, 'hidden-word']) expect(run.out + run.err).not.toContain(secret);
    const { checks } = run.json<{ data: { checks: { findings: Finding[] }[] } }>().data;
    return checks.flatMap(({ findings }) => findings);
  }
  const worse = (findings: Finding[]): Finding[] =>
    findings.filter(({ severity }) => severity === 'warn' || severity === 'fail');

  /** The address of a server that is not what it should be. */
  async function listen(server: Server): Promise<string> {
    const sockets = new Set<Socket>();
    servers.push({ server, sockets });
    server.on('connection', (socket: Socket) => sockets.add(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('is content with an empty bucket, and reads from one that has something', async () => {
    expect(worse(await look())).toEqual([]);

    const own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    const packKey = await own.createPack({ name: 'In the bucket' });
    await own.addStickers(packKey, [{ bytes: drawPng(4_711) }]);
    expect((await own.publish(packKey)).status).toBe(200);
    const findings = await waitFor(
      async () => {
        const found = await look();
        return found.some(({ text }) => text.endsWith('and what was read from it is right.')) ? found : undefined;
      },
      { ...patience, description: 'an object to be read' },
    );
    expect(worse(findings)).toEqual([]);
  });

  it.each<[string, (own: ObjectStorage) => Record<string, string>, string, string]>([
    [
      'a wrong secret',
      () => ({ [secretAccessKey]: 'hidden-word' }),
      'does not accept the signature',
      set('SECRET_ACCESS_KEY', 'SECRET_OF_THAT_KEY'),
    ],
    [
      'another region',
      () => ({ STICKER_OBJECT_STORAGE_REGION: 'eu-west-9' }),
      'the bucket is in another region: ',
      set('REGION', 'us-east-1'),
    ],
    [
      'a clock that is off',
      () => ({ NODE_OPTIONS: ahead }),
      'by 20 minutes (ours is ahead)',
      'sudo timedatectl set-ntp true',
    ],
    [
      'TLS to a port that speaks none',
      ({ endpoint }) => ({ STICKER_OBJECT_STORAGE_ENDPOINT: endpoint.replace('http:', 'https:') }),
      'speaks no TLS',
      'export STICKER_OBJECT_STORAGE_ENDPOINT=http://127.0.0.1:',
    ],
    [
      'a name that does not exist',
      () => ({ STICKER_OBJECT_STORAGE_ENDPOINT: 'http://bucket.invalid' }),
      'cannot be reached: its name',
      set('ENDPOINT', 'https://HOST:PORT'),
    ],
  ])('finds %s', async (_what, wrong, text, command) => {
    const [first] = worse(await look(wrong(storage)));
    expect(first).toMatchObject({ severity: 'fail', text: expect.stringContaining(text) });
    expect(first?.command).toContain(command);
  });

  it('finds a bucket that is not there, which the processes do not mean', async () => {
    expect(worse(await look({ STICKER_OBJECT_STORAGE_BUCKET: 'no-such-bucket' }))).toEqual([
      expect.objectContaining({ severity: 'fail', command: set('BUCKET', 'NAME_OF_THE_BUCKET') }),
      expect.objectContaining({ severity: 'warn', text: 'This shell names another bucket than the processes have.' }),
    ]);
  });

  it('finds what is no S3 service, what refuses, and what takes connections and says nothing', async () => {
    const page = await listen(
      createHttpServer((_request, response) => response.end('<html><body>Hello</body></html>')),
    );
    const silent = await listen(createServer());
    const closed = await listen(createServer());
    const last = servers.pop();
    last?.server.close();
    const textAt = async (STICKER_OBJECT_STORAGE_ENDPOINT: string): Promise<string | undefined> =>
      worse(await look({ STICKER_OBJECT_STORAGE_ENDPOINT }))[0]?.text;

    expect(await textAt(page)).toContain('is no S3 service');
    expect(await textAt(silent)).toContain('did not answer in time');
    expect(await textAt(closed)).toContain('it refuses connections');
  });

  it('finds that the flag is on and hardly anything is known to be in the bucket', async () => {
    const flag = (is_enabled: number, rollout_percent: number) =>
      fleet.database
        .knex('feature_flag')
        .where({ flag_name: 'enable_object_storage_delivery' })
        .update({ is_enabled, rollout_percent });
    const known = await fleet.database.knex('stored_object').select<{ sha256: string }[]>('sha256');
    expect(known.length).toBeGreaterThan(0);
    await flag(1, 25);
    expect(worse(await look())).toEqual([]);

    await fleet.database.knex('stored_object').update({ object_verified_at: null });
    expect(worse(await look())).toEqual([
      expect.objectContaining({
        ...{ severity: 'warn', command: 'npm run ops -- storage backfill' },
        text: expect.stringMatching(/^enable_object_storage_delivery is on at 25 % and only 0 % /),
      }),
    ]);
    await fleet.database.knex('stored_object').update({ object_verified_at: new Date() });
    await flag(0, 0);
  });

  it('finds removals that do not end, and tasks that have failed for good', async () => {
    const row = { kind: 'sticker', sha256: 'a'.repeat(64), size_bytes: 1 };
    const removing_since = new Date(Date.now() - 2 * 3_600_000);
    await fleet.database.knex('stored_object').insert({ ...row, removing_since });
    await fleet.database.knex('sticker_worker_task_dlq').insert({
      ...{ task_id: '018f0000-0000-7000-8000-000000000002', task_type: 'storage', subject_id: 's', payload: '{}' },
      ...{ attempts: 9, last_error: 'Error: no bucket' },
    });

    const found = worse(await look());
    expect(found.map(({ severity, command }) => [severity, command])).toEqual([
      ['warn', 'npm run ops -- storage gc --yes'],
      ['warn', 'npm run ops -- dlq list --source tasks --type storage --groups'],
    ]);
    expect(found[0]?.text).toMatch(/^The removal of 1 objects began 2 h ago/);
    await fleet.database.knex('sticker_worker_task_dlq').delete();
    await fleet.database.knex('stored_object').where({ sha256: row.sha256 }).delete();
  });

  it('finds a worker that has no bucket beside others that have', async () => {
    const worker = await fleet.start('worker-rebuild', { STICKER_OBJECT_STORAGE_BUCKET: '' });
    expect(worse(await look())).toEqual([
      expect.objectContaining({
        severity: 'fail',
        text: 'The processes do not agree on the bucket: api, worker-classification, worker-rebuild have one; worker-rebuild have none.',
      }),
    ]);
    expect((await worker.stop()).code).toBe(0);
  });

  it('finds that it is gone, and is content when it is back', async () => {
    await storage.kill();
    expect(worse(await look())[0]).toMatchObject({ severity: 'fail', text: expect.stringContaining('refuses') });
    await storage.restart();
    expect(worse(await look())).toEqual([]);
  });
});

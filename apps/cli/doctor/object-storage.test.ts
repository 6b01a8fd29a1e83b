/** What facts about the bucket mean, and what is to be typed then. */
import { describe, expect, it } from '@jest/globals';
import type { LiveProcess } from '@omnizap/runtime';
import { objectStorageDigest, type StorageProblem, type StorageProblemCode } from '@omnizap/storage';
import { groups } from '../groups.ts';
import type { Finding } from './finding.ts';
import { createMending } from './mending.ts';
import {
  judgeAgreement,
  judgeBucket,
  judgeDelivery,
  type BucketSettings,
  type DeliveryFacts,
} from './object-storage.ts';

const mending = createMending({ isUnderStart: false, catalogueUrl: null });
/** Every command that was named, for the last test. */
const said = new Set<string>();
const brief = (findings: Finding[]): [string, string, string | null][] =>
  findings.map(({ severity, text, command }) => {
    if (command !== null) said.add(command);
    return [severity, text, command];
  });
const settings: BucketSettings = {
  STICKER_OBJECT_STORAGE_BUCKET: 'stickers',
  STICKER_OBJECT_STORAGE_ENDPOINT: 'https://s3.example.org',
  STICKER_OBJECT_STORAGE_MODE: 'proxy',
};
const problem = (code: StorageProblemCode, region?: string): StorageProblem => ({
  ...{ code, text: 'The service does not like it.', remedy: 'Do this.' },
  ...(region === undefined ? {} : { region }),
});
const process = (processName: string, bucket?: string | null): LiveProcess => ({
  ...{ processId: `${processName}-1`, processName },
  status: { pid: 7, ...(bucket === undefined ? {} : { object_storage: bucket }) },
});

describe('the judgement of the bucket', () => {
  const judge = (facts: Partial<Parameters<typeof judgeBucket>[0]>) =>
    brief(judgeBucket({ settings, problem: null, percent: 0, hasRead: true, ...facts }, mending));
  const where = 'Bucket "stickers" at https://s3.example.org';
  const exported = (name: string, value: string): string =>
    `export STICKER_OBJECT_STORAGE_${name}=${value} && npm run pm2 -- reload deploy/pm2/ecosystem.prod.config.cjs`;

  it('is content when it lists and reads', () => {
    expect(judge({})).toEqual([['ok', `${where} answers, and what was read from it is right.`, null]]);
    expect(judge({ hasRead: false })).toEqual([['ok', expect.stringContaining('nothing to be read yet'), null]]);
    const atAws = { ...settings, STICKER_OBJECT_STORAGE_ENDPOINT: undefined };
    expect(judge({ settings: atAws })[0]?.[1]).toContain('Bucket "stickers" at AWS');
  });

  it.each<[StorageProblem, string, string]>([
    [problem('wrong-secret'), 'fail', exported('SECRET_ACCESS_KEY', 'SECRET_OF_THAT_KEY')],
    [problem('unknown-key'), 'fail', exported('ACCESS_KEY_ID', 'A_KEY_THAT_EXISTS')],
    [problem('forbidden'), 'fail', exported('ACCESS_KEY_ID', 'A_KEY_WITH_THESE_RIGHTS')],
    [problem('clock-skew'), 'fail', 'sudo timedatectl set-ntp true'],
    [problem('no-bucket'), 'fail', exported('BUCKET', 'NAME_OF_THE_BUCKET')],
    [problem('wrong-region', 'eu-west-1'), 'fail', exported('REGION', 'eu-west-1')],
    [problem('wrong-region'), 'fail', exported('REGION', 'REGION_OF_THE_BUCKET')],
    [problem('wrong-protocol'), 'fail', exported('ENDPOINT', 'http://s3.example.org')],
    [problem('unreachable'), 'fail', exported('ENDPOINT', 'https://HOST:PORT')],
    [problem('silent'), 'fail', exported('ENDPOINT', 'https://HOST:PORT')],
    [problem('not-s3'), 'fail', exported('ENDPOINT', 'https://HOST:PORT')],
    [problem('failing'), 'fail', 'npm run ops -- doctor --only object-storage'],
    [problem('throttled'), 'warn', 'npm run ops -- doctor --only object-storage'],
    [problem('missing'), 'warn', 'npm run ops -- storage verify --repair'],
    [problem('corrupt'), 'warn', 'npm run ops -- storage verify --repair'],
  ])('names what mends %j', (found, severity, command) => {
    expect(judge({ problem: found })).toEqual([
      [severity, expect.stringContaining(`${where}: the service does not like it.`), command],
    ]);
  });

  it('says what a command cannot, and turns the flag off where the service fails while it is on', () => {
    expect(judge({ problem: problem('forbidden') })[0]?.[1]).toMatch(/Do this\.$/);
    expect(judge({ problem: problem('failing'), percent: 25 })[0]?.[2]).toMatch(
      /flags set enable_object_storage_delivery --off --percent 0/,
    );
  });
});

describe('the judgement of delivery', () => {
  const facts: DeliveryFacts = {
    ...{ settings, percent: 100, deadTasks: 0, live: [] },
    bucket: { looked: 200, verified: 200, sample: null, stuck: { count: 0, longestSeconds: 0 } },
  };
  const judge = (more: Partial<DeliveryFacts>) => brief(judgeDelivery({ ...facts, ...more }, mending));
  const none: BucketSettings = { STICKER_OBJECT_STORAGE_MODE: 'proxy' };

  it('is content with what is in the bucket, and with no bucket', () => {
    expect(judge({})).toEqual([
      ['ok', expect.stringMatching(/^100 % of the files looked at \(200\).* at 100 %/), null],
    ]);
    expect(judge({ settings: none, percent: 0 })).toEqual([['ok', 'There is no bucket, and no need of one.', null]]);
  });

  it('finds the flag on without a bucket, unless the processes have one', () => {
    const off = expect.stringContaining('flags set enable_object_storage_delivery --off');
    expect(judge({ settings: none })).toEqual([
      ['warn', expect.stringContaining('is on at 100 % and no bucket is configured'), off],
    ]);
    expect(judge({ settings: none, live: [process('api', null), process('relay')] })).toHaveLength(1);
    expect(judge({ settings: none, live: [process('api', 'abc')] })[0]?.[0]).toBe('ok');
  });

  it('finds that the bucket has little of what is shown', () => {
    const bucket = { ...facts.bucket, verified: 99 };
    expect(judge({ bucket })).toEqual([
      ['warn', expect.stringContaining('only 49 % of the files looked at (200)'), 'npm run ops -- storage backfill'],
    ]);
    expect(judge({ bucket, percent: 0 }).map(([severity]) => severity)).toEqual(['info', 'ok']);
    expect(judge({ bucket: { ...facts.bucket, verified: 100 } })[0]?.[0]).toBe('ok');
    expect(judge({ bucket: { ...facts.bucket, looked: 0, verified: 0 } })[0]?.[0]).toBe('ok');
  });

  it('finds removals that do not end, and what has failed for good', () => {
    const stuck = { count: 3, longestSeconds: 7_200 };
    expect(judge({ bucket: { ...facts.bucket, stuck } })).toEqual([
      ['warn', expect.stringContaining('The removal of 3 objects began 2 h ago'), 'npm run ops -- storage gc --yes'],
    ]);
    expect(judge({ deadTasks: 2 })).toEqual([
      [
        'warn',
        expect.stringMatching(/^2 stickers could not/),
        'npm run ops -- dlq list --source tasks --type storage --groups',
      ],
    ]);
  });

  it('finds settings that do not go together', () => {
    const redirect: BucketSettings = {
      ...settings,
      STICKER_OBJECT_STORAGE_MODE: 'redirect',
      STICKER_OBJECT_STORAGE_ENDPOINT: 'http://10.0.0.7:9000',
    };
    expect(judge({ settings: redirect })).toEqual([
      ['warn', expect.stringContaining('without TLS'), expect.stringContaining('ENDPOINT=https://10.0.0.7:9000')],
    ]);
    expect(judge({ settings: { ...redirect, STICKER_OBJECT_STORAGE_MODE: 'proxy' } })[0]?.[0]).toBe('ok');
    const cdn = { ...settings, STICKER_OBJECT_STORAGE_CDN_BASE_URL: 'https://cdn.example.org' };
    expect(judge({ settings: cdn })).toEqual([
      ['warn', expect.stringContaining('nobody tells of removals'), expect.stringContaining('STICKER_CDN_PURGE_URL=')],
    ]);
    expect(judge({ settings: { ...cdn, STICKER_CDN_PURGE_URL: 'https://hook.example.org' } })[0]?.[0]).toBe('ok');
  });
});

describe('the judgement of who has which bucket', () => {
  const judge = (live: LiveProcess[], own: string | null = 'abc') => brief(judgeAgreement({ live, own }, mending));
  const reload = 'npm run pm2 -- reload deploy/pm2/ecosystem.prod.config.cjs';

  it('says nothing when all have the same, or none, or do not tell', () => {
    expect(judge([process('api', 'abc'), process('worker-rebuild', 'abc'), process('relay')])).toEqual([]);
    expect(judge([process('api', null)], null)).toEqual([]);
    expect(judge([process('api'), process('relay')])).toEqual([]);
  });

  it('finds a process without the bucket, and one with another', () => {
    expect(judge([process('api', 'abc'), process('worker-rebuild', null), process('worker-rebuild', null)])).toEqual([
      ['fail', 'The processes do not agree on the bucket: api have one; worker-rebuild have none.', reload],
    ]);
    expect(judge([process('api', 'abc'), process('worker-rebuild', 'xyz')])).toEqual([
      ['fail', expect.stringContaining('and not the same one'), reload],
    ]);
  });

  it('compares them with this shell', () => {
    expect(judge([process('api', 'abc')], null).map(([severity]) => severity)).toEqual(['info']);
    expect(judge([process('api', 'abc')], 'xyz')).toEqual([
      ['warn', 'This shell names another bucket than the processes have.', reload],
    ]);
    expect(judge([process('api', null)], 'xyz')).toEqual([
      ['warn', expect.stringContaining('the processes have none'), reload],
    ]);
  });

  it('goes by what the settings mean, and by no secret', () => {
    const environment = {
      ...{ STICKER_OBJECT_STORAGE_BUCKET: 'stickers', STICKER_OBJECT_STORAGE_REGION: 'us-east-1' },
      ...{ STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: 'a', STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: 'b' },
      ...{ STICKER_OBJECT_STORAGE_KEY_PREFIX: 'stickers', STICKER_OBJECT_STORAGE_SIGNED_URL_TTL_SECONDS: 300 },
      ...{ STICKER_OBJECT_STORAGE_MODE: 'proxy' as const, STICKER_OBJECT_STORAGE_ENDPOINT: 'https://s3.example.org' },
    };
    const digest = objectStorageDigest(environment);
    expect(digest).toMatch(/^[0-9a-f]{12}$/);
    const alike = {
      STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: 'c',
      STICKER_OBJECT_STORAGE_ENDPOINT: 'https://s3.example.org/',
    };
    expect(objectStorageDigest({ ...environment, ...alike })).toBe(digest);
    for (const other of [
      { STICKER_OBJECT_STORAGE_BUCKET: 'others' },
      { STICKER_OBJECT_STORAGE_KEY_PREFIX: 'others' },
      { STICKER_OBJECT_STORAGE_ENDPOINT: undefined },
    ])
      expect(objectStorageDigest({ ...environment, ...other })).not.toBe(digest);
    expect(objectStorageDigest({ ...environment, STICKER_OBJECT_STORAGE_BUCKET: undefined })).toBeNull();
  });
});

it('names only commands and options that our CLI has', () => {
  const ours = [...said].flatMap((command) => /^npm run ops -- (.*)$/.exec(command)?.slice(1) ?? []);
  expect(ours.length).toBeGreaterThan(5);
  for (const line of ours) {
    const [groupName, commandName] = line.split(' ');
    const group = groups.find((one) => one.name === groupName);
    const command = group?.commands.find((one) => one.name === '' || one.name === commandName);
    expect([line, command !== undefined]).toEqual([line, true]);
    for (const [, option = ''] of line.matchAll(/--([\w-]+)/g))
      expect([line, Object.keys(command?.options ?? {})]).toEqual([line, expect.arrayContaining([option])]);
  }
});

/** What facts mean, and that every command which is printed is one that there is. */
import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { inspectConfig, type LiveProcess, type ServerFacts } from '@omnizap/runtime';
import { groups } from '../groups.ts';
import type { Probe } from '../release-findings.ts';
import { judgeClocks } from './clocks.ts';
import { judgeConfiguration } from './configuration.ts';
import { judgeRoom, judgeWritable, type Directory } from './directories.ts';
import { NotCheckedError, runChecks, worstOf, type Finding } from './finding.ts';
import { judgeFlags, type FlagFacts } from './flags.ts';
import { createMending } from './mending.ts';
import { judgeMigrations, judgeQueueSchema } from './migrations.ts';
import { judgeProcesses, type ProcessFacts } from './processes.ts';
import { judgeDeadTasks, judgeOutbox, judgePauses, judgeTasks, type TaskFacts } from './queues.ts';
import { judgeRollout } from './rollout.ts';
import { judgeServer, judgeUnreachable, type Server } from './servers.ts';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
const said: Finding[] = [];
/** Keeps what was said for the test of the commands. */
const keep = (findings: Finding[]): Finding[] => (said.push(...findings), findings);
const brief = (findings: Finding[]): [string, string, string | null][] =>
  keep(findings).map(({ severity, text, command }) => [severity, text, command]);

const postgres = 'postgres://omnizap:hidden-word@127.0.0.1:5432/catalogue';
const mending = createMending({ isUnderStart: false, catalogueUrl: postgres });
const underStart = createMending({ isUnderStart: true, catalogueUrl: postgres });
const GiB = 2 ** 30;
const taskTypesOf = { classification: ['classification', 'derivative'], curation: ['curation'], rebuild: ['rebuild'] };

function process(processName: string, status: Record<string, unknown> = {}): LiveProcess {
  const url = `http://127.0.0.1/${processName}`;
  const processId = `${processName}-${String(status.release)}`;
  return { processId, processName, status: { url, pid: 7, version: '1.0.0', release: 'stable', ...status } };
}
const worker = (kind: keyof typeof taskTypesOf, release = 'stable', version = '1.0.0'): LiveProcess =>
  process(`worker-${kind}`, { lane: release, release, version, task_types: taskTypesOf[kind] });
const api = process('api', { lane: 'inline', task_types: Object.values(taskTypesOf).flat() });
const workers = [worker('classification'), worker('curation'), worker('rebuild')];
const fleet = [api, process('relay'), process('maintenance'), ...workers];
const without = (name: string): LiveProcess[] => fleet.filter(({ processName }) => processName !== name);
const pm2Start = (name: string): string => `npm run pm2 -- start deploy/pm2/ecosystem.prod.config.cjs --only ${name}`;

describe('the judgement of the configuration', () => {
  const judge = (env: Record<string, string>, planProblems: string[] = []): [string, string, string | null][] =>
    brief(
      judgeConfiguration(
        { view: inspectConfig(env), isPlansDirThere: env.ROLLOUT_PLANS_DIR === undefined, planProblems },
        mending,
      ),
    );
  const good = { DATABASE_URL: postgres, ADMIN_TOKEN: 'kX2vQ9zR7bN4mT1pL8' };

  it('is content with good settings', () => {
    expect(judge(good)).toEqual([['ok', expect.stringContaining('settings of this shell are valid'), null]]);
  });

  it('lists every problem, also those about the databases', () => {
    const wrong = { ...good, DATABASE_URL: 'mysql://a:b@127.0.0.1/c', PORT: 'x', LOG_LEVEL: 'loud' };
    expect(judge(wrong).map(([severity, text]) => [severity, text.split(' ', 3).join(' ')])).toEqual([
      ['fail', 'PORT must be'],
      ['fail', 'LOG_LEVEL must be'],
      ['fail', 'DATABASE_URL is MySQL:'],
    ]);
  });

  it('looks at no other database in place of one whose address is wrong', () => {
    const view = inspectConfig({ DATABASE_URL: 'oracle://x' });
    expect([view.databaseUrl, view.queueUrl, view.problems.length]).toEqual([null, null, 1]);
  });

  it.each([
    [{ ADMIN_TOKEN: 'aaaaaaaaaaaaaaaaaaaa' }, 'ADMIN_TOKEN can be guessed.'],
    [{ ADMIN_TOKEN: 'please-change-me-now' }, 'ADMIN_TOKEN can be guessed.'],
    [{ METRICS_TOKEN: good.ADMIN_TOKEN }, 'ADMIN_TOKEN and METRICS_TOKEN are the same'],
    [{ TRUST_PROXY_HOPS: '1' }, 'METRICS_TOKEN is not set although others can reach'],
    [{ BIND_ADDRESS: '0.0.0.0' }, 'METRICS_TOKEN is not set although others can reach'],
  ])('warns of tokens that protect nothing: %j', (env, text) => {
    expect(judge({ ...good, ...env })).toEqual([
      ['warn', expect.stringContaining(text), expect.stringContaining('node -p')],
    ]);
  });

  it('warns of a folder of plans that is not there', () => {
    expect(judge({ ...good, ROLLOUT_PLANS_DIR: '/nowhere' })).toEqual([
      ['warn', expect.stringContaining('ROLLOUT_PLANS_DIR (/nowhere) is no folder'), 'unset ROLLOUT_PLANS_DIR'],
    ]);
  });

  it('names each line of a plan that cannot be read', () => {
    const [[severity, text] = []] = judge(good, ['  deploy/rollout/a.yaml:3: no such gate']);
    expect([severity, text]).toEqual(['warn', expect.stringContaining('a.yaml:3: no such gate')]);
  });
});

describe('the judgement of directories', () => {
  const facts = {
    state: 'there',
    isWritable: true,
    isLocal: true,
    device: 1,
    inodes: { free: 90, total: 100 },
  } as const;
  const directory = (more: object): Directory => ({
    variable: 'STICKER_DATA_DIR',
    folder: '/srv/the data',
    facts: { ...facts, bytes: { free: 80 * GiB, total: 100 * GiB }, ...more },
  });

  it.each([
    [{}, 'ok'],
    [{ isWritable: false }, 'fail'],
    [{ state: 'absent' }, 'warn'],
    [{ state: 'not-a-directory' }, 'fail'],
    [{ state: 'unreachable' }, 'fail'],
  ])('says of %j: %s', (more, severity) => {
    expect(keep([judgeWritable(directory(more), 'omnizap')])[0]?.severity).toBe(severity);
  });

  it.each([
    ['much room', { free: 80 * GiB, total: 100 * GiB }, 'ok'],
    ['a small share of a huge disk', { free: 400 * GiB, total: 8_000 * GiB }, 'ok'],
    ['a small share', { free: 9 * GiB, total: 100 * GiB }, 'warn'],
    ['little room on a small disk', { free: 1.5 * GiB, total: 4 * GiB }, 'warn'],
    ['next to nothing', { free: 1 * GiB, total: 100 * GiB }, 'fail'],
    ['nothing', { free: 0, total: 1 * GiB }, 'fail'],
  ])('says of a disk with %s: %s', (_what, bytes, severity) => {
    expect(worstOf(keep(judgeRoom([directory({ bytes })])))).toBe(severity);
  });

  it('looks at inodes where there are some, and leaves network disks to their server', () => {
    expect(worstOf(keep(judgeRoom([directory({ inodes: { free: 5, total: 100 } })])))).toBe('warn');
    expect(worstOf(keep(judgeRoom([directory({ inodes: { free: 1, total: 100 } })])))).toBe('fail');
    expect(worstOf(keep(judgeRoom([directory({ inodes: { free: 0, total: 0 } })])))).toBe('ok');
    expect(worstOf(keep(judgeRoom([directory({ isLocal: false, bytes: { free: 0, total: 1 } })])))).toBe('info');
  });

  it('judges a disk of two directories once', () => {
    expect(judgeRoom([directory({}), { ...directory({}), variable: 'ARCHIVE_DIR' }])).toMatchObject([
      { text: expect.stringContaining('The disk of STICKER_DATA_DIR and ARCHIVE_DIR') },
    ]);
  });
});

describe('the judgement of database servers', () => {
  const server: Server = { title: 'catalogue', variable: 'DATABASE_URL', url: postgres };
  const good: ServerFacts & { denied: string[]; schemas: string[] } = {
    ...{ product: 'PostgreSQL', versionText: 'PostgreSQL 16.3', major: 16, minor: 3 },
    ...{ isReadOnly: false, connections: { used: 20, max: 97 }, denied: [], schemas: ['public'] },
  };
  const judge = (facts: Partial<typeof good>) => keep(judgeServer(server, { ...good, ...facts }, mending));

  it.each([
    [{}, 'ok'],
    [{ major: 14, minor: 0 }, 'ok'],
    [{ major: 13, minor: 9 }, 'fail'],
    [{ product: 'MariaDB' as const, major: 10, minor: 5 }, 'fail'],
    [{ product: 'MariaDB' as const, major: 10, minor: 6 }, 'ok'],
    [{ product: 'MySQL' as const, major: 5, minor: 7 }, 'fail'],
    [{ product: 'MySQL' as const, major: 8, minor: 0 }, 'ok'],
    [{ product: 'other' as const }, 'warn'],
    [{ isReadOnly: true }, 'fail'],
    [{ connections: { used: 86, max: 97 } }, 'warn'],
    [{ connections: { used: 95, max: 97 } }, 'fail'],
    [{ denied: ['sticker_pack'] }, 'fail'],
    [{ product: 'MariaDB' as const, major: 11, minor: 4, denied: ['sticker_pack'] }, 'fail'],
  ])('says of %j: %s', (facts, severity) => {
    expect(worstOf(judge(facts))).toBe(severity);
  });

  it.each([
    ['28P01', 'refuses the account "omnizap"'],
    ['ER_ACCESS_DENIED_ERROR', 'refuses the account "omnizap"'],
    ['3D000', 'does not exist on that server'],
    ['53300', 'has no connection left'],
    ['ECONNREFUSED', 'does not answer (ECONNREFUSED)'],
  ])('says what %s means, without the password', (code, text) => {
    const [finding] = keep([judgeUnreachable(server, Object.assign(new Error('no'), { code }), mending, false)]);
    expect(finding).toMatchObject({ severity: 'fail', text: expect.stringContaining(text) });
    expect(JSON.stringify(finding)).not.toContain('hidden-word');
  });

  it('passes on what a driver says without a code, but not the password in it', () => {
    const error = new Error('cannot talk to omnizap:hidden-word\nat somewhere');
    const { text, command } = judgeUnreachable(server, error, mending, false);
    expect(text).toContain('(cannot talk to omnizap:***)');
    expect(command).toBe('sudo systemctl restart postgresql');
    expect(judgeUnreachable(server, error, underStart, true).command).toBe('npm start');
    const far = { ...server, url: 'mysql://a:b@db.example.net/c' };
    expect(judgeUnreachable(far, error, mending, false).command).toBe(
      'ssh db.example.net sudo systemctl restart mariadb',
    );
  });
});

describe('the judgement of schemas', () => {
  const queues = { schemaVersion: 43, neededSchemaVersion: 43, missing: [] };

  it.each([
    [{ missing: [], unknown: [] }, 'ok', null],
    [{ missing: ['a'], unknown: [] }, 'fail', 'npm run db:migrate'],
    [{ missing: [], unknown: ['b'] }, 'warn', expect.stringContaining('release verify')],
  ])('says of migrations %j: %s', (facts, severity, command) => {
    expect(brief(judgeMigrations(facts))).toEqual([[severity, expect.any(String), command]]);
  });

  it.each([
    [{}, 'ok'],
    [{ schemaVersion: null }, 'fail'],
    [{ schemaVersion: 42 }, 'fail'],
    [{ schemaVersion: 44 }, 'warn'],
    [{ missing: ['rebuild.canary'] }, 'fail'],
  ])('says of task queues %j: %s', (facts, severity) => {
    expect(worstOf(keep(judgeQueueSchema({ ...queues, ...facts })))).toBe(severity);
  });
});

describe('the judgement of processes', () => {
  const well: Probe = { isAlive: true, failing: [] };
  const judge = (live: LiveProcess[], more: Partial<ProcessFacts> = {}, how = mending) =>
    brief(
      judgeProcesses(
        { live: live.map((one) => ({ ...one, probe: well })), stale: [], ownVersion: '1.0.0', ...more },
        how,
      ),
    );

  it('is content with one of each kind', () => {
    expect(judge(fleet)).toEqual([['ok', expect.stringContaining('6 processes'), null]]);
  });

  it.each(['api', 'relay', 'maintenance'])('fails without any %s, and prints what starts one', (kind) => {
    expect(judge(without(kind))).toEqual([['fail', expect.stringContaining(`No ${kind} process`), pm2Start(kind)]]);
    expect(judge(without(kind), {}, underStart)[0]?.[2]).toBe(`npm run ${kind}`);
  });

  it('warns of processes that do not answer or are not ready', () => {
    const probes: Probe[] = [
      { isAlive: false, reason: 'ECONNREFUSED' },
      { isAlive: true, failing: ['queue (away)'] },
    ];
    const live = fleet.map((one, index) => ({ ...one, probe: probes[index] ?? well }));
    expect(judge([], { live })).toEqual([
      ['warn', expect.stringContaining('api (pid 7) has a lease but does not answer'), 'npm run pm2 -- restart api'],
      ['warn', 'relay (pid 7) is not ready: queue (away).', expect.stringContaining('logs relay')],
    ]);
  });

  it('tells a process that hangs from one that died, and from one that was replaced at its port', () => {
    const stale = (name: string, answers: boolean, url = 'http://127.0.0.1/old', isHere = false) => ({
      ...process(name, { url }),
      ...{ expiredSecondsAgo: 30, answers, isHere },
    });
    const said = judge(fleet, {
      stale: [stale('relay', true), stale('api', false), stale('api', true, String(api.status.url))],
    });
    expect(said.map(([severity]) => severity)).toEqual(['warn', 'info', 'info']);
    expect(said[0]?.[1]).toContain('has not renewed its lease for 30 s');
    expect(judge(fleet, { stale: [stale('relay', false, 'http://127.0.0.1/old', true)] })).toEqual([
      ['warn', expect.stringContaining('relay (pid 7) hangs'), 'kill -KILL 7'],
    ]);
  });

  it('warns of two versions of the stable release; a canary may be of another', () => {
    const mixed = [...without('worker-rebuild'), worker('rebuild', 'stable', '1.1.0')];
    expect(judge(mixed)).toEqual([
      ['warn', expect.stringContaining('1.0.0, 1.1.0'), expect.stringContaining('reload')],
    ]);
    expect(judge([...fleet, worker('rebuild', 'canary', '1.1.0')])).toEqual([['ok', expect.any(String), null]]);
    expect(judge(fleet, { ownVersion: '0.9.0' })[0]?.[0]).toBe('info');
  });
});

describe('the judgement of flags', () => {
  const row = (flagName: string, rolloutPercent: number, isEnabled = rolloutPercent > 0) => ({
    flagName,
    isEnabled,
    rolloutPercent,
  });
  const rows = (percents: { canary?: number; dedicated?: number } = {}) => [
    row('enable_ranking_snapshot_read', 100),
    row('enable_domain_event_outbox', 100),
    row('enable_worker_dedicated_processes', percents.dedicated ?? 100),
    row('enable_worker_canary_release', percents.canary ?? 0),
    row('enable_object_storage_delivery', 0),
  ];
  const judge = (facts: Partial<FlagFacts>) =>
    brief(
      judgeFlags(
        {
          ...{ flags: rows(), unnoticed: [], isSchemaNewer: false, live: fleet, taskTypesOf },
          ...{ rankingAgeSeconds: 10, rankingRefreshSeconds: 300, ...facts },
        },
        mending,
      ),
    );

  it('is content when the flags are as the fleet is', () => {
    expect(judge({})).toEqual([['ok', expect.any(String), null]]);
    expect(judge({ flags: rows({ dedicated: 0 }), live: [...without('worker-curation')] })).toHaveLength(1);
  });

  it('finds missing rows, unknown ones, and those that say two things', () => {
    expect(judge({ flags: rows().slice(0, 4) })).toEqual([
      ['warn', expect.stringContaining('enable_object_storage_delivery is missing'), expect.any(String)],
    ]);
    expect(judge({ flags: [...rows(), row('enable_x', 1)] })[0]?.[0]).toBe('warn');
    expect(judge({ flags: [...rows(), row('enable_x', 1)], isSchemaNewer: true })[0]?.[0]).toBe('info');
    const odd = [
      ...rows().slice(0, 3),
      row('enable_worker_canary_release', 0, true),
      row('enable_object_storage_delivery', 5, false),
    ];
    expect(judge({ flags: odd }).map(([severity, text]) => [severity, text])).toEqual([
      ['warn', 'enable_worker_canary_release is enabled at 0 %, which is off.'],
      ['warn', 'enable_object_storage_delivery says 5 % but is disabled, which is off.'],
    ]);
  });

  it('tells an edit that is about to be written down from one that nobody writes down', () => {
    const unnoticed = ['enable_domain_event_outbox'];
    expect(judge({ unnoticed })[0]?.[0]).toBe('info');
    expect(judge({ unnoticed, live: without('maintenance') })).toContainEqual([
      'warn',
      expect.any(String),
      pm2Start('maintenance'),
    ]);
  });

  it('finds kinds of work whose processes are not there', () => {
    const live = without('worker-curation');
    expect(judge({ live, flags: rows({ dedicated: 25 }) })).toEqual([
      ['warn', expect.stringContaining('on at 25 %: the API works curation'), pm2Start('worker-curation')],
    ]);
    const nobody = live.filter(({ processName }) => processName !== 'api');
    expect(judge({ live: nobody })[0]?.[0]).toBe('fail');
  });

  it('finds a canary without workers, and workers without a canary', () => {
    const canaries = [worker('classification', 'canary'), worker('curation', 'canary')];
    expect(judge({ flags: rows({ canary: 10 }), live: [...fleet, ...canaries] })).toEqual([
      [
        'warn',
        expect.stringContaining('No live canary worker-rebuild'),
        expect.stringContaining('flags set enable_worker_canary_release --off'),
      ],
    ]);
    expect(judge({ live: [...fleet, ...canaries] }).map(([severity]) => severity)).toEqual(['info', 'ok']);
  });

  it('finds flags that nobody feeds', () => {
    expect(judge({ live: without('relay') })).toEqual([
      ['fail', expect.stringContaining('no relay is alive'), pm2Start('relay')],
    ]);
    expect(judge({ rankingAgeSeconds: 901 })).toEqual([
      [
        'fail',
        expect.stringContaining('the newest ranking is 15 min old'),
        expect.stringContaining('flags set enable_ranking_snapshot_read --off'),
      ],
    ]);
    expect(judge({ rankingAgeSeconds: null, live: without('maintenance') })).toEqual([
      ['fail', expect.stringContaining('no ranking was ever published'), pm2Start('maintenance')],
    ]);
  });
});

describe('the judgement of rollouts', () => {
  const run = {
    id: 7,
    planName: 'worker-canary',
    state: 'watching',
    position: 'step 1 of 3',
    idleSeconds: 5,
    hold: null,
  };
  const judge = (facts: Partial<Parameters<typeof judgeRollout>[0]>) =>
    brief(judgeRollout({ active: null, frozen: null, hasMaintenance: true, ...facts }, mending));

  it('tells of what runs and of a freeze, and warns of what nobody looks at', () => {
    expect(judge({})[0]?.[0]).toBe('ok');
    expect(judge({ active: run })[0]?.[0]).toBe('info');
    expect(judge({ frozen: { by: 'ana', reason: 'launch', untilAt: new Date(0) } })[0]).toEqual([
      'info',
      expect.stringContaining('frozen by ana until 1970'),
      expect.any(String),
    ]);
    expect(judge({ active: { ...run, idleSeconds: 300 } })[0]).toEqual([
      'warn',
      expect.stringContaining('nobody has looked at it for 5 min'),
      expect.stringContaining('logs maintenance'),
    ]);
    expect(judge({ active: { ...run, idleSeconds: 300 }, hasMaintenance: false })[0]?.[2]).toBe(
      pm2Start('maintenance'),
    );
    const hold = { by: 'operator', reason: 'let us see', seconds: 200_000 };
    expect(judge({ active: { ...run, hold } })[0]?.[0]).toBe('warn');
    expect(judge({ active: { ...run, hold: { ...hold, seconds: 60 } } })[0]?.[0]).toBe('info');
  });
});

describe('the judgement of queues', () => {
  const pause = { taskType: 'rebuild', pausedBy: 'ana', reason: 'database work', pausedAt: new Date(0) };
  const count = (taskType: string, lane: string) => ({ taskType, lane, state: 'created', count: 3, oldestSeconds: 9 });
  const waiting = (taskType: string, longestSeconds: number) => ({
    taskType,
    lane: 'stable',
    count: 3,
    longestSeconds,
  });
  const judge = (facts: Partial<TaskFacts>) =>
    brief(judgeTasks({ counts: [], waiting: [], pauses: [], live: fleet, taskTypesOf, ...facts }, mending));

  it('finds tasks in lanes that nobody works, and what starts somebody', () => {
    expect(judge({ counts: [count('rebuild', 'stable')] })[0]?.[0]).toBe('ok');
    expect(judge({ counts: [count('derivative', 'canary')] })).toEqual([
      [
        'fail',
        '3 tasks of type derivative are in lane canary, which no live process works.',
        'npm run pm2 -- start deploy/pm2/ecosystem.canary.config.cjs --only worker-classification-canary',
      ],
    ]);
    expect(judge({ counts: [count('rebuild', 'inline')], live: without('api') })[0]?.[2]).toBe(pm2Start('api'));
  });

  it('finds what waits too long, unless it is paused', () => {
    expect(judge({ waiting: [waiting('rebuild', 299)] })[0]?.[0]).toBe('ok');
    expect(judge({ waiting: [waiting('rebuild', 301)] })[0]?.[0]).toBe('warn');
    expect(judge({ waiting: [waiting('rebuild', 3_601)] })[0]?.[0]).toBe('fail');
    expect(judge({ waiting: [waiting('rebuild', 3_601)], pauses: [pause] })[0]?.[0]).toBe('ok');
    expect(brief(judgePauses([pause], [waiting('rebuild', 1)]))).toEqual([
      [
        'warn',
        'Tasks of type rebuild are paused by ana (database work); 3 wait.',
        'npm run ops -- queues resume rebuild --reason "..."',
      ],
    ]);
    expect(judgePauses([pause], null)[0]?.text).toBe('Tasks of type rebuild are paused by ana (database work).');
    expect([keep(judgeDeadTasks(0)), keep(judgeDeadTasks(2))[0]?.severity]).toEqual([[], 'warn']);
  });

  it('finds events that wait and events that have failed', () => {
    const judgeEvents = (facts: object, hasRelay = true) =>
      brief(judgeOutbox({ pending: 5, failed: 0, dlq: 0, oldestSeconds: 0, hasRelay, ...facts }, mending)).map(
        ([severity, , command]) => [severity, command],
      );
    expect(judgeEvents({})).toEqual([['ok', null]]);
    expect(judgeEvents({ failed: 1 })[0]?.[0]).toBe('info');
    expect(judgeEvents({ oldestSeconds: 61 })).toEqual([['warn', 'npm run ops -- outbox stats']]);
    expect(judgeEvents({ oldestSeconds: 901 }, false)).toEqual([['fail', pm2Start('relay')]]);
    expect(judgeEvents({ dlq: 1 })).toEqual([['warn', 'npm run ops -- dlq list --source outbox --groups']]);
  });
});

describe('the judgement of clocks', () => {
  const clock = (name: string, aheadMs: number, host = 'db', roundTripMs = 2) => ({
    name,
    host,
    clock: { aheadMs, roundTripMs },
  });

  it('goes by the lease: a second is what it allows for, six are its whole life', () => {
    expect(worstOf(judgeClocks([clock('a', 900), clock('b', -900)]))).toBe('ok');
    expect(brief(judgeClocks([clock('a', 1_500), clock('b', 0)]))).toEqual([
      ['warn', "The clock of a is 1.5 s ahead of this host's.", 'ssh db sudo timedatectl set-ntp true'],
    ]);
    expect(brief(judgeClocks([clock('a', -7_000), clock('b', 0)]))[0]?.[0]).toBe('fail');
  });

  it('does not blame a clock for an answer that took long', () => {
    expect(worstOf(judgeClocks([clock('a', 1_500, 'db', 1_200)]))).toBe('ok');
  });

  it('blames this host when all others agree against it', () => {
    const [finding] = judgeClocks([clock('a', 9_000), clock('b', 9_010)]);
    expect(finding).toMatchObject({
      text: expect.stringContaining('this host that is wrong'),
      command: 'sudo timedatectl set-ntp true',
    });
  });
});

describe('checks', () => {
  it('end in time, each for itself, whatever one of them does', async () => {
    const fine: Finding = { severity: 'ok', text: 'fine', command: null };
    const results = await runChecks(
      [
        { name: 'hangs', parts: [() => new Promise(() => undefined), async () => [fine]] },
        { name: 'throws', parts: [() => Promise.reject(new Error('broken\n at somewhere'))] },
        {
          name: 'depends',
          parts: [
            () => Promise.reject(new NotCheckedError('the other one')),
            () => Promise.reject(new NotCheckedError('the other one')),
          ],
        },
        { name: 'fine', parts: [async () => [fine]] },
      ],
      20,
    );

    expect(results.map(({ check, findings }) => [check, findings.map(({ text }) => text)])).toEqual([
      ['hangs', ['not checked: no answer within 0.02 s', 'fine']],
      ['throws', ['not checked: broken']],
      ['depends', ['not checked: the other one']],
      ['fine', ['fine']],
    ]);
  });
});

describe('a statement to type', () => {
  it.each([
    [postgres, `psql -h 127.0.0.1 -p 5432 -U omnizap -d catalogue -c 'SELECT 1'`],
    ['mysql://om%20ni:hidden-word@db/catalogue', `mariadb -h db -u 'om ni' -p catalogue -e 'SELECT 1'`],
  ])('goes to the database at %s, whose password it asks for', (catalogueUrl, command) => {
    expect(createMending({ isUnderStart: false, catalogueUrl }).sql('SELECT 1')).toBe(command);
  });
});

describe('the commands that mend', () => {
  const require = createRequire(import.meta.url);
  const { scripts } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const commands = (): string[] => [...new Set(said.flatMap(({ command }) => (command === null ? [] : [command])))];
  const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

  it('belong to every finding that wants something done', () => {
    expect(
      said.filter(({ severity, command }) => (severity === 'warn' || severity === 'fail') && command === null),
    ).toEqual([]);
    expect(commands().length).toBeGreaterThan(40);
  });

  it('are programs of a server, or scripts that package.json has', () => {
    const programs = /^(export|unset|mkdir|mv|namei|du|git|psql|mariadb|sudo|ssh|kill) /;
    for (const command of commands()) {
      const [, script] = /(?:^|&& )npm (?:run )?([\w:]+)/.exec(command) ?? [];
      if (script === undefined) expect(command).toMatch(programs);
      else expect(Object.keys(scripts)).toContain(script);
    }
  });

  it('are commands and options that our CLI has', () => {
    const ours = commands().flatMap((command) => /^npm run ops -- (.*)$/.exec(command)?.slice(1) ?? []);
    expect(ours.length).toBeGreaterThan(5);
    for (const line of ours) {
      const [groupName, commandName] = words(line);
      const group = groups.find(({ name }) => name === groupName);
      const command = group?.commands.find(({ name }) => name === '' || name === commandName);
      expect([line, command !== undefined]).toEqual([line, true]);
      for (const [, option = ''] of line.matchAll(/--([\w-]+)/g))
        expect([line, Object.keys(command?.options ?? {})]).toEqual([line, expect.arrayContaining([option])]);
    }
  });

  it('name profiles and processes that pm2 has', () => {
    const ours = commands().flatMap((command) => /npm run pm2 -- (.*)$/.exec(command)?.slice(1) ?? []);
    const appsOf = (profile: string): string[] =>
      (require(path.join(projectRoot, profile)) as { apps: { name: string }[] }).apps.map(({ name }) => name);
    for (const line of ours) {
      const [verb = '', target = '', , only] = words(line);
      expect(['start', 'reload', 'restart', 'logs']).toContain(verb);
      if (target.endsWith('.cjs')) {
        expect(existsSync(path.join(projectRoot, target))).toBe(true);
        if (only !== undefined) expect(appsOf(target)).toContain(only);
      } else expect(appsOf('deploy/pm2/ecosystem.prod.config.cjs')).toContain(target);
    }
  });
});

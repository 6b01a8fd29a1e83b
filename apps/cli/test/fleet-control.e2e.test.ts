/** Flags and queues as an operator and an administrator handle them: by command, without an API, and over HTTP. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, startFleet, testDatabaseKinds, waitFor, type Answer, type Fleet } from '@omnizap/testkit';
import { runOps, type Run } from './run-ops.ts';

const dedicated = 'enable_worker_dedicated_processes';
type FlagJson = { flag_name: string; is_enabled: boolean; rollout_percent: number; version: number };

describe.each(testDatabaseKinds())('fleet control on %s', (kind) => {
  let fleet: Fleet;
  const ops = (...args: string[]): Promise<Run> => runOps(fleet.env, ...args);
  const put = (flag: string, body: object): Promise<Answer> =>
    ask(`${fleet.apiUrl}/api/admin/feature-flags/${flag}`, { method: 'PUT', body, key: fleet.adminToken });

  beforeAll(async () => {
    fleet = await startFleet(kind, { processes: ['api'] });
  });
  afterAll(() => fleet.stop());

  it('changes a flag, says so, and keeps who did it and why', async () => {
    const set = await ops('flags', 'set', dedicated, '--percent', '50', '--reason', 'half of it', '--actor', 'ana');
    expect([set.code, set.out.trim()]).toEqual([0, `${dedicated} is on 50 %`]);

    const history = (await ops('flags', 'history', dedicated, '--json')).json<{ data: object[] }>();
    expect(history.data[0]).toMatchObject({
      ...{ actor: 'cli:ana', reason: 'half of it' },
      before: { rollout_percent: 100 },
      after: { rollout_percent: 50 },
    });
    const list = (await ops('flags', 'list', '--json')).json<{ data: FlagJson[] }>();
    expect(list.data.find((flag) => flag.flag_name === dedicated)).toMatchObject({ rollout_percent: 50, version: 2 });
  });

  it('says whom a percentage means', async () => {
    const subject = ['flags', 'evaluate', dedicated, '--subject', 'pack-1', '--json'];
    const answer = (await ops(...subject)).json<{ bucket: number; enabled: boolean; reason: string }>();

    expect(answer).toMatchObject({ flag: dedicated, subject: 'pack-1', reason: 'SPLIT' });
    expect(answer.enabled).toBe(answer.bucket <= 50);
  });

  it.each([
    [['flags', 'set', dedicated, '--percent', '101', '--reason', 'x'], /whole number from 0 to 100, not "101"/],
    [['flags', 'set', dedicated, '--percent', '12.5', '--reason', 'x'], /whole number from 0 to 100, not "12.5"/],
    [['flags', 'set', dedicated, '--percent', '5'], /Say why with --reason/],
    [['flags', 'set', dedicated, '--reason', 'x'], /Say --on, --off or --percent/],
    [['queues', 'pause', 'painting', '--reason', 'x'], /no task type "painting".*classification, derivative/],
    [['queues', 'pause', '--reason', 'x'], /Name task types/],
  ])('refuses nonsense with what would be right: %j', async (args, message) => {
    const run = await ops(...args);

    expect([run.code, run.out]).toEqual([2, '']);
    expect(run.err).toMatch(message);
  });

  it('names the flags that there are to whoever asks for another one', async () => {
    const run = await ops('flags', 'get', 'enable_everything');

    expect(run.code).not.toBe(0);
    expect(run.err).toContain('enable_domain_event_outbox');
  });

  it('pauses and resumes kinds of task', async () => {
    expect((await ops('queues', 'pause', 'rebuild', '--reason', 'database work')).code).toBe(0);
    expect((await ops('queues', 'stats')).out).toMatch(/rebuild is paused since .*: database work/);
    const again = await ops('queues', 'resume', '--all', '--reason', 'done', '--json');
    expect(again.json()).toMatchObject({
      data: expect.arrayContaining([{ task_type: 'rebuild', is_paused: false, was_changed: true }]) as object,
    });
    expect((await ops('queues', 'drain', '--all', '--timeout', '5')).code).toBe(0);
  });

  it('does the same over HTTP, and refuses what a stranger or a typing error sends', async () => {
    const changed = await put(dedicated, { is_enabled: true, rollout_percent: 25, reason: 'over HTTP' });
    expect([changed.status, changed.json<{ data: FlagJson }>().data.rollout_percent]).toEqual([200, 25]);
    await waitFor(async () =>
      (await ask(`${fleet.apiUrl}/metrics`)).bytes.includes(`omnizap_feature_flag_rollout_percent{flag="${dedicated}"`),
    );

    for (const rollout_percent of [101, -1, 12.5, '5'])
      expect((await put(dedicated, { rollout_percent })).status).toBe(422);
    expect((await put(dedicated, {})).status).toBe(422);
    expect((await put(dedicated, { rollout_percent: 1, expected_version: 1 })).status).toBe(409);
    expect((await put('enable_everything', { rollout_percent: 1 })).status).toBe(404);
    const url = `${fleet.apiUrl}/api/admin/feature-flags/${dedicated}`;
    expect((await ask(url, { method: 'PUT', body: { rollout_percent: 1 } })).status).toBe(401);
  });
});

/** The profiles under the real pm2, and what the canary runbook relies on: each test goes on where the one before has ended. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, startLoad, waitFor } from '@omnizap/testkit';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { isAlive, openPm2Host, stableFolder as stable, type Listed, type Pm2Host } from './test/pm2-host.ts';
import { breakWorkers, makeRelease } from './test/release-folder.ts';
import { runCommand, type Run } from './test/run-command.ts';

type Verified = {
  data: {
    ok: boolean;
    processes: { process: string; pid: number; version: string; state: string }[];
    findings: { process: string; problem: string; mend: string }[];
  };
};

const prod = 'deploy/pm2/ecosystem.prod.config.cjs';
const canary = 'deploy/pm2/ecosystem.canary.config.cjs';
const nobody = 'no such process is alive';
describe('the fleet under pm2', () => {
  let host: Pm2Host;
  let env: Record<string, string>;
  const [good, broken] = ['next', 'broken'].map((name) => () => path.join(host.folder, name)) as [
    () => string,
    () => string,
  ];

  const pm2 = (args: string[], more: Record<string, string> = {}, from = stable): Promise<Run> =>
    runCommand(from, 'pm2', args, { ...env, ...more });
  const ops = (args: string[]): Promise<Run> => runCommand(stable, 'ops', args, env);
  const listed = (): Promise<Listed[]> => host.listed();
  /** At one look. */
  const problemsOf = async (args: string[]): Promise<string[]> =>
    (await ops(['release', 'verify', '--timeout', '0', '--json', ...args]))
      .json<Verified>()
      .data.findings.map(({ problem }) => problem);
  const deleteCanary = async (): Promise<void> => {
    expect(await pm2(['delete', canary])).toMatchObject({ code: 0 });
    // A lease that could not be given back runs out within 6 s.
    await waitFor(async () => (await problemsOf(['--release', 'canary'])).join() === Array(3).fill(nobody).join(), {
      timeoutMs: 20_000,
      description: 'the end of the canary',
    });
    expect((await listed()).filter(({ name }) => name.endsWith('-canary'))).toEqual([]);
  };
  const pidsOf = async (name: string): Promise<number[]> =>
    (await listed()).filter((entry) => entry.name === name).map(({ pid }) => pid);

  beforeAll(async () => {
    host = await openPm2Host(await createTestDatabase('postgres'));
    ({ env } = host);
    const [migrated] = await Promise.all([
      runCommand(stable, 'migrate', ['up'], env),
      makeRelease(good(), '9.0.0'),
      makeRelease(broken(), '9.1.0').then(() => breakWorkers(broken())),
    ]);
    expect(migrated).toMatchObject({ code: 0 });
  }, 60_000);

  afterAll(() => host.close(), 60_000);

  it('starts as the production profile says, each process ready, and writes nowhere but into PM2_HOME', async () => {
    const started = await pm2(['start', prod]);
    await host.markDaemon();
    const verified = await ops(['release', 'verify', '--api-processes', '2', '--observe', '2', '--json']);

    expect([started.code, started.out]).toEqual([0, expect.stringContaining('App [api] launched (2 instances)')]);
    expect([verified.code, verified.json<Verified>().data.findings]).toEqual([0, []]);
    expect(
      (await listed()).map(({ name, pm2_env }) => [name, pm2_env.status, pm2_env.restart_time]).toSorted(),
    ).toEqual([
      ...['api', 'api', 'maintenance', 'relay', 'worker-classification', 'worker-curation', 'worker-rebuild'].map(
        (name) => [name, 'online', 0],
      ),
    ]);
    expect(await readdir(env.HOME ?? '')).toEqual([]);
    expect(((await stat(env.PM2_HOME ?? '')).mode & 0o777).toString(8)).toBe('700');
  }, 120_000);

  it('reloads both API processes under load with nobody refused', async () => {
    const before = await pidsOf('api');
    const load = startLoad(`http://127.0.0.1:${env.PORT}/api/sticker-packs`, { kept: 4, fresh: 4 });
    await waitFor(() => load.counts().answered > 500);

    const reloaded = await pm2(['reload', prod, '--only', 'api']);
    const answered = load.counts().answered;
    await waitFor(() => load.counts().answered > answered + 500, { timeoutMs: 30_000 });
    const counts = await load.stop();
    const after = await pidsOf('api');
    console.info(`The API reloaded under load: ${JSON.stringify(counts)}`);

    expect(reloaded.code).toBe(0);
    expect(after).toHaveLength(2);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    // What the kernel has completed for a process that closes at that instant is reset: at worst each fresh client's, twice.
    const { ECONNRESET = 0, ...others } = counts.failed;
    expect(others).toEqual({});
    expect(ECONNRESET).toBeLessThanOrEqual(8);
  }, 120_000);

  it('has the workers of another release beside the first, each told apart', async () => {
    const started = await pm2(['start', canary], { RELEASE_DIR: good() });
    const [ofCanary, ofStable] = await Promise.all([
      ops(['release', 'verify', '--release', 'canary', '--expect-version', '9.0.0', '--observe', '2', '--json']),
      ops(['release', 'verify', '--observe', '2', '--json']),
    ]);

    expect(started.code).toBe(0);
    expect([ofCanary.code, ofStable.code]).toEqual([0, 0]);
    expect(ofCanary.json<Verified>().data.processes.map(({ process, version }) => [process, version])).toEqual(
      ['worker-classification', 'worker-curation', 'worker-rebuild'].map((name) => [name, '9.0.0']),
    );
    expect(ofStable.json<Verified>().data.processes).toHaveLength(7);
  }, 120_000);

  it('calls a build that dies a success, which release verify does not, and goes back to the one before', async () => {
    const reloaded = await pm2(['reload', canary], { RELEASE_DIR: broken() });
    const look = ['release', 'verify', '--release', 'canary', '--json', '--observe', '3'];
    const found = await ops([...look, '--expect-version', '9.1.0', '--timeout', '12']);

    expect(reloaded.code).toBe(0);
    const { data } = found.json<Verified>();
    expect([found.code, data.ok]).toEqual([1, false]);
    const of = (name: string): string =>
      data.findings
        .filter(({ process }) => process === name)
        .map(({ problem, mend }) => `${problem} -> ${mend}`)
        .join('\n');
    expect(of('worker-rebuild')).toMatch(/no such process is alive -> .*--only worker-rebuild-canary/);
    expect(of('worker-curation')).toMatch(/came anew|no such process|does not answer/);
    const [, ...words] = /npm run pm2 -- (logs [^);]*)/.exec(of('worker-rebuild'))?.[1]?.split(' ') ?? [];
    expect((await pm2(['logs', ...words])).out).toContain('this build is broken');

    // Not a reload: pm2 refuses that to a process that waits for its next restart.
    await deleteCanary();
    const back = await pm2(['start', canary], { RELEASE_DIR: good() });
    const healed = await ops([...look, '--expect-version', '9.0.0']);
    expect([back.code, healed.code, healed.json<Verified>().data.findings]).toEqual([0, 0, []]);
  }, 180_000);

  it('takes the canary away, and promotes a release by a reload from its own folder', async () => {
    await deleteCanary();
    const promoted = await pm2(['reload', prod, '--only', 'relay'], {}, good());
    const [pid = 0] = await pidsOf('relay');

    expect(promoted.code).toBe(0);
    expect(await readlink(`/proc/${pid}/cwd`)).toBe(good());
    await waitFor(async () => (await problemsOf([])).join().startsWith(`pid ${pid} runs 9.0.0, not `), {
      timeoutMs: 20_000,
      description: 'the promoted relay',
    });
  }, 120_000);

  it('ends cleanly, every process of it, when the daemon of pm2 is killed', async () => {
    const pids = (await listed()).map(({ pid }) => pid);
    expect(pids).toHaveLength(7);
    process.kill(Number(await readFile(path.join(env.PM2_HOME ?? '', 'pm2.pid'), 'utf8')), 'SIGKILL');

    await waitFor(() => pids.every((pid) => !isAlive(pid)), {
      timeoutMs: 16_000,
      description: 'the end of every process',
    });
    const left = await ops(['release', 'verify', '--timeout', '0', '--json']);
    expect(left.json<Verified>().data.processes).toEqual([]);
  }, 60_000);
});

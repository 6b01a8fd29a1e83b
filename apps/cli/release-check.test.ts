import { describe, expect, it } from '@jest/globals';
import type { Clock, LiveProcess } from '@omnizap/runtime';
import { fleetProcesses } from '@omnizap/testkit';
import { checkRelease, type ReleaseCheckOptions } from './release-check.ts';
import { isExpectedVersion, promisedProcesses, type Probe } from './release-findings.ts';

const well: Probe = { isAlive: true, failing: [] };
const wanted: ReleaseCheckOptions = {
  release: 'stable',
  expectedVersion: '1.0.0',
  apiProcesses: 1,
  timeoutMs: 60_000,
  observeMs: 10_000,
};

/** Time that passes only while somebody sleeps. */
function newClock(): Clock {
  let time = 0;
  return {
    now: () => time,
    async sleep(milliseconds) {
      time += milliseconds;
    },
    after: () => () => undefined,
  };
}

function live(process: string, processId = `${process}-1`, status: Record<string, unknown> = {}): LiveProcess {
  return {
    processId,
    processName: process,
    status: { url: `http://127.0.0.1/${processId}`, pid: 7, version: '1.0.0', release: 'stable', ...status },
  };
}

const wholeFleet = (): LiveProcess[] => fleetProcesses.map((name) => live(name));

/** `fleetAt`: who lives at that second. */
async function check(
  fleetAt: (second: number) => LiveProcess[],
  options: Partial<ReleaseCheckOptions> = {},
  probe: (url: string) => Probe = () => well,
) {
  const clock = newClock();
  const report = await checkRelease(
    {
      clock,
      liveProcesses: () => Promise.resolve(fleetAt(clock.now() / 1_000)),
      probe: (url) => Promise.resolve(probe(url)),
    },
    { ...wanted, ...options },
  );
  return { ...report, problems: report.findings.map(({ process, problem }) => `${process}: ${problem}`) };
}

describe('the check of a release', () => {
  it('promises every process of the fleet', () => {
    expect(promisedProcesses.stable.toSorted()).toEqual([...fleetProcesses].toSorted());
  });

  it('is content when everything stays right for the time of observation, and not before', async () => {
    const { findings, lookedMs } = await check(wholeFleet);

    expect([findings, lookedMs]).toEqual([[], 10_000]);
  });

  it('waits for what is still coming, and begins to observe when it is there', async () => {
    const { findings, lookedMs } = await check((second) => (second < 20 ? [] : wholeFleet()));

    expect([findings, lookedMs]).toEqual([[], 30_000]);
  });

  it('names a kind of which nobody lives, with the command that starts it, when time is up', async () => {
    const { problems, findings, lookedMs } = await check(() =>
      wholeFleet().filter(({ processName }) => processName !== 'worker-curation'),
    );

    expect(problems).toEqual(['worker-curation: no such process is alive']);
    expect(findings[0]?.mend).toContain(
      'npm run pm2 -- start deploy/pm2/ecosystem.prod.config.cjs --only worker-curation',
    );
    expect(lookedMs).toBe(60_000);
  });

  it('counts API processes when told how many there should be', async () => {
    expect((await check(wholeFleet, { apiProcesses: 2 })).problems).toEqual(['api: 1 of 2 are alive']);
    expect((await check(() => [...wholeFleet(), live('api', 'api-2')], { apiProcesses: 2 })).problems).toEqual([]);
  });

  it('names who runs another version, does not answer, or is not ready', async () => {
    const { problems } = await check(
      () => [...wholeFleet().slice(1), live('api', 'api-1', { version: '0.9.0+abc' })],
      {},
      (url) => {
        if (url.endsWith('relay-1')) return { isAlive: false, reason: 'ECONNREFUSED' };
        return url.endsWith('maintenance-1') ? { isAlive: true, failing: ['queue (failed)'] } : well;
      },
    );

    expect(problems.toSorted()).toEqual([
      'api: pid 7 runs 0.9.0+abc, not 1.0.0',
      'maintenance: pid 7 is not ready: queue (failed)',
      'relay: pid 7 does not answer at http://127.0.0.1/relay-1 (ECONNREFUSED)',
    ]);
  });

  it('finds a process that is there at every look, and another one each time', async () => {
    const { problems, replacements } = await check((second) => [
      ...wholeFleet().slice(1),
      live('api', `api-${Math.floor(second / 7)}`),
    ]);

    expect(problems).toEqual([expect.stringMatching(/^api: came anew 9 times within 63 s/)]);
    expect(replacements).toEqual({ api: 9 });
  });

  it('forgives one replacement, as a reload makes it', async () => {
    const { findings, replacements, lookedMs } = await check((second) => [
      ...wholeFleet().slice(1),
      live('api', second < 5 ? 'api-1' : 'api-2'),
    ]);

    expect([findings, replacements, lookedMs]).toEqual([[], { api: 1 }, 15_000]);
  });

  it('finishes an observation that goes beyond the time limit', async () => {
    const { findings, lookedMs } = await check((second) => (second < 55 ? [] : wholeFleet()));

    expect([findings, lookedMs]).toEqual([[], 65_000]);
  });

  it('looks at the workers of the canary alone, and leaves them out of the stable release', async () => {
    const canaries = promisedProcesses.canary.map((name) =>
      live(name, `${name}-canary`, { release: 'canary', version: '2.0.0' }),
    );
    const both = (): LiveProcess[] => [...wholeFleet(), ...canaries];

    expect((await check(both)).problems).toEqual([]);
    expect((await check(both, { release: 'canary', expectedVersion: '2.0.0' })).problems).toEqual([]);
    const missing = await check(() => [...wholeFleet(), ...canaries.slice(1)], {
      release: 'canary',
      expectedVersion: '2.0.0',
    });
    expect(missing.problems).toEqual(['worker-classification: no such process is alive']);
    expect(missing.findings[0]?.mend).toContain('ecosystem.canary.config.cjs --only worker-classification-canary');
  });
});

describe('the expected version', () => {
  it.each([
    ['1.0.0+abc', '1.0.0+abc', true],
    ['1.0.0+abc', '1.0.0', true],
    ['1.0.0', '1.0.0', true],
    ['1.0.0+abc', '1.0.0+def', false],
    ['1.0.0', '1.0.0+abc', false],
    ['1.0.01', '1.0.0', false],
    ['1.0.0+abc', 'any', true],
  ])('%s against %s: %p', (running, expected, isExpected) => {
    expect(isExpectedVersion(running, expected)).toBe(isExpected);
  });
});

import { describe, expect, it } from '@jest/globals';
import { createLogger, createMetrics, Gauge, type DatabaseName } from '@omnizap/runtime';
import { createLeaderFigures, figuresIntervalMs, type Figure } from './leader-figures.ts';

function createSubject() {
  const metrics = createMetrics({ version: '0', release: 'stable', process: 'maintenance' });
  const warnings: unknown[] = [];
  const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
  log.warn = (...words: unknown[]) => void warnings.push(words[1]);
  let now = 1_000_000;
  const figures = createLeaderFigures({ metrics, log, clock: { now: () => now } });
  const gauge = new Gauge({
    name: 'omnizap_figure',
    help: 'A figure.',
    labelNames: ['figure'],
    registers: [metrics.registry],
    collect: figures.leaveOutStale,
  });
  /** A figure that counts how often it was read, until it is made to fail. */
  function add(name: string, database: DatabaseName, intervalMs?: number): { error?: Error; wait?: Promise<void> } {
    const fate: { error?: Error; wait?: Promise<void> } = {};
    let reads = 0;
    const figure: Figure = {
      name,
      database,
      async read() {
        await fate.wait;
        if (fate.error) throw fate.error;
        gauge.set({ figure: name }, (reads += 1));
      },
      leaveOut: () => gauge.remove({ figure: name }),
    };
    figures.add(intervalMs === undefined ? figure : { ...figure, intervalMs });
    return fate;
  }
  async function shown(): Promise<Record<string, number>> {
    const text = await metrics.registry.metrics();
    const found = [...text.matchAll(/^omnizap_figure\{figure="(\w+)"\} (\d+)$/gm)];
    return Object.fromEntries(found.map(([, name = '', value]) => [name, Number(value)]));
  }
  const refreshedAt = async (): Promise<number | undefined> => {
    const found = /^omnizap_gauges_refreshed_timestamp_seconds (\S+)$/m.exec(await metrics.registry.metrics());
    return found ? Number(found[1]) : undefined;
  };
  return {
    ...{ figures, add, shown, refreshedAt, warnings },
    pass: (milliseconds: number): void => void (now += milliseconds),
  };
}

const denied = (): Error => Object.assign(new Error('permission denied'), { code: '42501' });

describe('the leader’s figures', () => {
  it('are read at each look, the costly ones at some', async () => {
    const { figures, add, shown, pass } = createSubject();
    add('cheap', 'catalogue');
    add('costly', 'catalogue', 4 * figuresIntervalMs);
    for (let look = 0; look < 5; look += 1) {
      await figures.refresh();
      pass(figuresIntervalMs);
    }
    expect(await shown()).toEqual({ cheap: 5, costly: 2 });
  });

  it('are left out a minute after their database was last read, the costly ones too; when that was stays', async () => {
    const { figures, add, shown, refreshedAt, pass } = createSubject();
    const fates = [add('cheap', 'catalogue'), add('costly', 'catalogue', 600_000)];
    add('other', 'queue');
    await figures.refresh();
    const before = await refreshedAt();
    expect(Math.abs(Date.now() / 1_000 - (before ?? 0))).toBeLessThan(5);

    for (const fate of fates) fate.error = new Error('away');
    for (let look = 0; look < 4; look += 1) {
      pass(figuresIntervalMs);
      await figures.refresh();
    }
    expect(await shown()).toEqual({ cheap: 1, costly: 1, other: 5 });
    pass(1);
    expect(await shown()).toEqual({ other: 5 });
    expect(await refreshedAt()).toBe(before);

    for (const fate of fates) delete fate.error;
    await figures.refresh();
    expect(await shown()).toEqual({ cheap: 2, costly: 2, other: 6 });
    expect(await refreshedAt()).toBeGreaterThanOrEqual(before ?? Infinity);
  });

  it('are left out one by one where only one cannot be read', async () => {
    const { figures, add, shown, pass } = createSubject();
    add('well', 'catalogue');
    const ill = add('ill', 'catalogue');
    await figures.refresh();
    ill.error = new Error('too long');
    for (let look = 0; look < 5; look += 1) {
      pass(figuresIntervalMs);
      await figures.refresh();
    }
    expect(await shown()).toEqual({ well: 6 });
  });

  it('are missing where the account has no right to see them, which is said once and holds up nothing', async () => {
    const { figures, add, shown, refreshedAt, pass, warnings } = createSubject();
    add('seen', 'catalogue');
    add('hidden', 'catalogue').error = denied();
    for (let look = 0; look < 3; look += 1) {
      await figures.refresh();
      pass(figuresIntervalMs);
    }
    expect(await shown()).toEqual({ seen: 3 });
    expect(await refreshedAt()).toBeDefined();
    expect(warnings).toEqual(['our account may not see a figure: the metrics are without it']);
  });

  it('are gone when somebody else leads, also when they are just being read', async () => {
    const { figures, add, shown, refreshedAt } = createSubject();
    const gate = Promise.withResolvers<void>();
    const fate = add('figure', 'catalogue');
    await figures.refresh();
    fate.wait = gate.promise;
    figures.clear();
    const reading = figures.refresh();
    figures.clear();
    gate.resolve();
    await reading;

    expect([await shown(), await refreshedAt()]).toEqual([{}, undefined]);
  });
});

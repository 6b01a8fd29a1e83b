/** Whether the cases of alerts would notice a rule that has become another: each rule is changed, and a case of each has to fail. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MonitoringInstallation } from '@omnizap/embedded';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseDuration } from '../rules/duration.ts';
import { renderRules } from '../rules/render-rules.ts';
import { renderTests } from '../rules/render-tests.ts';
import { alerts } from '../slo.ts';
import type { Alert } from '../slo.ts';

const { promtool } = JSON.parse(process.env.OMNIZAP_TEST_MONITORING ?? '{}') as MonitoringInstallation;

/** Far enough to matter, near enough that only a case close to the limit notices. */
const step = 3;
const longestMs = 300_000;

const later = (alert: Alert): Alert => ({
  ...alert,
  limit: alert.fires === 'below' ? alert.limit / step : further(alert),
});
const sooner = (alert: Alert): Alert => ({
  ...alert,
  limit: alert.fires === 'below' ? alert.limit * step : nearer(alert),
});
const further = ({ fires, limit }: Alert): number => (fires === 'at' || limit === 0 ? limit + 50 : limit * step);
const nearer = ({ fires, limit }: Alert): number => (fires === 'at' ? limit + 1 : limit === 0 ? -1 : limit / step);
const patient = (alert: Alert): Alert => ({ ...alert, for: `${(parseDuration(alert.for) / 1_000) * 4}s` });
const hasty = (alert: Alert): Alert => ({ ...alert, for: '0s' });

/** What is absent is so or not: there is nothing nearer. */
const isAbsence = ({ expression }: Alert): boolean => expression.startsWith('absent(') && !expression.includes(' and ');
const waits = (alert: Alert): boolean => parseDuration(alert.for) > 0;

let folder: string;

beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'omnizap rules '))));
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe('the cases of alerts notice', () => {
  it.each([
    ['limits that are further away', later, 'fires', () => true],
    ['limits that are nearer', sooner, 'silent', (alert: Alert) => !isAbsence(alert)],
    ['alerts that wait longer', patient, 'fires', waits],
    ['alerts that do not wait', hasty, 'fires', waits],
  ] as const)(
    '%s',
    async (name, change, cases, isMeant) => {
      const meant = alerts.filter(isMeant);
      const failed = await failedAlerts(path.join(folder, name), meant.map(change), cases);
      expect(meant.map((alert) => alert.name).filter((alert) => !failed.has(alert))).toEqual([]);
    },
    longestMs,
  );
});

/** Alerts of which a case fails. */
async function failedAlerts(at: string, changed: readonly Alert[], only: 'fires' | 'silent'): Promise<Set<string>> {
  const tests = renderTests({ alerts: changed, only });
  for (const [kind, files] of [
    ['rules', renderRules({ alerts: changed })],
    ['tests', tests],
  ] as const) {
    await mkdir(path.join(at, kind), { recursive: true });
    for (const [name, text] of files) await writeFile(path.join(at, kind, name), text);
  }
  const said = await Promise.all(
    [...tests.keys()].map((name) => output(promtool, ['test', 'rules', `tests/${name}`], at)),
  );
  return new Set([...said.join('\n').matchAll(/alertname=\\"(\w+)\\",alertstate/g)].map(([, name = '']) => name));
}

function output(program: string, args: string[], cwd: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

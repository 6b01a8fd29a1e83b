/**
 * Every parameter of every operation, fuzzed from the OpenAPI document against a running fleet: whatever is sent, the answer is one
 * that the document describes. FUZZ_SEED repeats a run or draws another one, FUZZ_REQUESTS sets how many requests there are in all.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import path from 'node:path';
import { startFleet, testDatabaseKinds } from '@omnizap/testkit';
import type { Fleet } from '@omnizap/testkit';
import { createFixtures } from './spec/create-fixtures.ts';
import type { Fixtures } from './spec/create-fixtures.ts';
import { createJudge } from './spec/judge-answer.ts';
import { runFuzz } from './spec/run-fuzz.ts';
import type { FuzzReport } from './spec/run-fuzz.ts';
import { createSender } from './spec/send.ts';
import { operationsOf } from './spec/spec.ts';
import type { SpecDocument, SpecOperation } from './spec/spec.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20_261_127);
const kinds = testDatabaseKinds();
const requestsPerKind = Math.ceil(Number(process.env.FUZZ_REQUESTS ?? 20_000) / kinds.length);
const atOnce = 12;
const projectRoot = path.resolve(import.meta.dirname, '../../..');

/** Administrators switch off what the rest stands on: their changes come when everything else is done. */
const comesLast = ({ tag, method }: SpecOperation): boolean => tag === 'admin' && method !== 'GET';

describe.each(kinds)('any request on %s', (kind) => {
  let fleet: Fleet;
  let fixtures: Fixtures;
  let document: SpecDocument;
  const sender = createSender(atOnce);

  beforeAll(async () => {
    fleet = await startFleet(kind);
    fixtures = await createFixtures(fleet);
    const { bytes } = await sender.send(fleet.apiUrl, { method: 'GET', path: '/openapi.json', headers: {} });
    document = JSON.parse(bytes.toString('utf8')) as SpecDocument;
    // What the workers would do of all this is not looked at here, and costs the processor.
    for (const { name, process } of fleet.all()) if (name !== 'api') await fleet.kill(process);
  }, 240_000);
  afterAll(async () => {
    sender.close();
    await fleet?.stop();
  }, 60_000);

  async function fuzz(operations: SpecOperation[], share: number): Promise<FuzzReport> {
    const all = operationsOf(document);
    const secrets = [...fixtures.ownerIds, projectRoot, fleet.dataDir, ...Object.values(fixtures.keys)];
    const judge = createJudge({ document, operations: all, secrets });
    const requestsPerOperation = Math.ceil((requestsPerKind * share) / operations.length);
    const startedAt = performance.now();
    const report = await runFuzz(
      operations,
      { document, fixtures, judge, sender, apiUrls: [fleet.apiUrl] },
      { seed, requestsPerOperation, atOnce },
    );
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    process.stdout.write(`fuzz: ${report.sent} requests on ${kind} in ${seconds} s, FUZZ_SEED=${seed}\n`);
    return report;
  }

  function expectWellBehaved({ findings, counts }: FuzzReport, floor: number): void {
    // One of a kind: the same fault shows in a hundred requests.
    const faults = new Map(
      findings.map(({ operation, problems, curl }) => [
        `${operation}: ${problems
          .join('; ')
          .replaceAll(/[0-9a-f-]{36}/g, '<uuid>')
          .slice(0, 400)}`,
        curl,
      ]),
    );
    const lines = [...faults].map(
      ([fault, curl]) => `${fault}
    ${curl}`,
    );
    if (lines.length > 0) throw new Error(`FUZZ_SEED=${seed} found ${lines.length} problems:\n${lines.join('\n')}`);
    const starved = [...counts].filter(([, { requests, successes }]) => requests < floor || successes === 0);
    expect(Object.fromEntries(starved)).toEqual({});
  }

  const isFew = (operations: SpecOperation[], share: number): number =>
    Math.floor((requestsPerKind * share) / operations.length / 3);

  it('is answered as the document says', async () => {
    const operations = operationsOf(document).filter((operation) => !comesLast(operation));
    expectWellBehaved(await fuzz(operations, 0.8), isFew(operations, 0.8));
  }, 400_000);

  it('is answered as the document says by what administrators change', async () => {
    const operations = operationsOf(document).filter(comesLast);
    expectWellBehaved(await fuzz(operations, 0.2), isFew(operations, 0.2));
  }, 400_000);

  it('leaves an API that serves, and has said nothing that a person must act on', async () => {
    const answer = await sender.send(fleet.apiUrl, { method: 'GET', path: '/api/sticker-packs', headers: {} });
    expect(answer.status).toBe(200);
    const serious = fleet
      .process('api')
      .output()
      .split('\n')
      .filter((line) => /"level":"(error|fatal)"/.test(line))
      .map((line) => line.slice(0, 600));
    expect(serious.slice(0, 5)).toEqual([]);
  });
});

/** Sends drawn requests, some at a time, judges every answer, and keeps count. */
import fc from 'fast-check';
import { filledExample, fixturesOf, keyFor, partsOf, wireOf } from './build-request.ts';
import type { RequestParts } from './build-request.ts';
import type { Fixtures } from './create-fixtures.ts';
import { authorizationOf, drawnRequest } from './fuzz-requests.ts';
import type { Drawn } from './fuzz-requests.ts';
import type { Judge } from './judge-answer.ts';
import { curlOf } from './send.ts';
import type { createSender, WireAnswer, WireRequest } from './send.ts';
import type { SpecDocument, SpecOperation } from './spec.ts';

export type FuzzCounts = { requests: number; successes: number; byStatus: Record<number, number> };
export type Finding = { operation: string; problems: string[]; curl: string };
export type FuzzReport = { counts: Map<string, FuzzCounts>; findings: Finding[]; sent: number };

type FuzzDeps = {
  document: SpecDocument;
  fixtures: Fixtures;
  judge: Judge;
  sender: ReturnType<typeof createSender>;
  /** Requests go to each in turn. */
  apiUrls: string[];
};
type FuzzOptions = { seed: number; requestsPerOperation: number; atOnce: number };

/** Fixtures that may be lost are made so often for each operation; later requests find them gone. */
const freshFixtures = 6;
/** The other lanes change packs all the time: so many pairs of HEAD and GET may fall on either side of a change. */
const mostPairs = 5;
/** A broken build must not print ten thousand lines. */
const mostFindings = 40;

export async function runFuzz(
  operations: SpecOperation[],
  { document, fixtures, judge, sender, apiUrls }: FuzzDeps,
  { seed, requestsPerOperation, atOnce }: FuzzOptions,
): Promise<FuzzReport> {
  const report: FuzzReport = {
    counts: new Map(operations.map(({ id }) => [id, { requests: 0, successes: 0, byStatus: {} }])),
    findings: [],
    sent: 0,
  };
  const rights = new Map<string, { parts: RequestParts; left: number }>();

  /** A right request of the operation. */
  async function rightParts(operation: SpecOperation): Promise<RequestParts> {
    const { id, example } = operation;
    if (!example) return { params: {}, query: [], headers: {} };
    const known = rights.get(id);
    if (known && known.left <= 0) return known.parts;
    const left = known ? known.left - 1 : fixturesOf(example).some(fixtures.isThrowaway) ? freshFixtures : 0;
    // Counted before it is made: others ask meanwhile.
    if (known) known.left = left;
    const parts = partsOf(await filledExample(example, fixtures));
    rights.set(id, { parts, left });
    return parts;
  }

  function note(wire: WireRequest, answer: WireAnswer, problems: string[], baseUrl: string): void {
    const operation = judge.operationFor(wire.method, wire.path);
    const counts = report.counts.get(operation?.id ?? '');
    if (counts) {
      counts.requests += 1;
      counts.byStatus[answer.status] = (counts.byStatus[answer.status] ?? 0) + 1;
      if (answer.status < 300) counts.successes += 1;
    }
    if (problems.length > 0)
      report.findings.push({ operation: operation?.id ?? 'none', problems, curl: curlOf(baseUrl, wire) });
  }

  async function ask(baseUrl: string, wire: WireRequest): Promise<WireAnswer> {
    report.sent += 1;
    return await sender.send(baseUrl, wire);
  }

  async function askAndJudge(drawn: Drawn, operation: SpecOperation, turn: number): Promise<void> {
    const baseUrl = apiUrls[turn % apiUrls.length] ?? '';
    const right = keyFor(operation, fixtures);
    const parts = await rightParts(operation);
    const wire = drawn.build(parts, authorizationOf(drawn.key, right, fixtures, turn));
    try {
      const answer = await ask(baseUrl, wire);
      const problems = judge.judge(wire, answer);
      note(wire, answer, problems, baseUrl);
      if (wire.method === 'GET' && turn % 8 === 0) await compareWithHead(baseUrl, wire, answer);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      report.findings.push({ operation: operation.id, problems: [problem], curl: curlOf(baseUrl, wire) });
    }
  }

  /** HEAD says what GET says, unless something changed between the two: then a later pair agrees. */
  async function compareWithHead(baseUrl: string, wire: WireRequest, first: WireAnswer): Promise<void> {
    const asked = { ...wire, method: 'HEAD' };
    let [head, get] = [await ask(baseUrl, asked), first];
    const problems = judge.judge(asked, head);
    for (let pair = 1; pair < mostPairs && !agrees(head, get); pair++)
      [head, get] = [await ask(baseUrl, asked), await ask(baseUrl, wire)];
    if (!agrees(head, get)) problems.push(`HEAD ${summary(head)}, GET ${summary(get)}`);
    note(asked, head, problems, baseUrl);
  }

  const drawnOf = new Map(
    operations.map((operation, index) => [
      operation,
      fc.sample(drawnRequest(operation, document), { seed: seed + index, numRuns: requestsPerOperation }),
    ]),
  );
  let next = 0;
  const total = operations.length * requestsPerOperation;
  async function lane(): Promise<void> {
    while (next < total && report.findings.length < mostFindings) {
      const turn = next++;
      const operation = operations[turn % operations.length] as SpecOperation;
      const drawn = drawnOf.get(operation)?.[Math.floor(turn / operations.length)];
      if (drawn) await askAndJudge(drawn, operation, turn);
    }
  }
  // First of all each as its example says, so that all have been seen to succeed before anything is changed by the others.
  for (const operation of operations)
    await askAndJudge(
      { key: 'right', isRight: true, build: (parts) => wireOf(operation, parts, keyFor(operation, fixtures)) },
      operation,
      1,
    );
  await Promise.all(Array.from({ length: atOnce }, lane));
  return report;
}

const compared = [
  'content-type',
  'content-encoding',
  'vary',
  'etag',
  'cache-control',
  'location',
  'accept-ranges',
  'content-range',
];
const summary = ({ status, headers }: WireAnswer): string =>
  `${status} ${compared.map((name) => String(headers[name] ?? '-')).join(' ')}`;
const agrees = (a: WireAnswer, b: WireAnswer): boolean => summary(a) === summary(b);

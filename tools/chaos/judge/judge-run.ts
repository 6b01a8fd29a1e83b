/** All verdicts on one run. Pure: the same evidence gives the same findings. */
import type { FinalTables, RecordedHistory } from '../final-tables.ts';
import type { Rest } from '../quiescence.ts';
import type { RequestRecord } from '../requests.ts';
import { judgeConvergence } from './judge-convergence.ts';
import { judgeHistory } from './judge-history.ts';
import { judgeRequests } from './judge-requests.ts';
import { judgeRest } from './judge-rest.ts';
import type { KnownFacts } from './known-facts.ts';
import type { Violation } from './violation.ts';

export type Evidence = {
  requests: RequestRecord[];
  tables: FinalTables;
  history: RecordedHistory;
  rest: Rest;
  facts: KnownFacts;
};

export function judgeRun({ requests, tables, history, rest, facts }: Evidence): Violation[] {
  return [
    ...judgeRequests(requests, tables, history, facts),
    ...judgeConvergence(requests, tables, facts),
    ...judgeHistory(tables, history, facts),
    ...judgeRest(tables, rest),
  ];
}

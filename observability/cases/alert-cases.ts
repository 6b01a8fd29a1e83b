/** The cases of all alerts. */
import type { CasesOf } from './alert-case.ts';
import { catalogueCases } from './catalogue.ts';
import { databaseCases } from './database.ts';
import { errorBudgetCases } from './error-budget.ts';
import { httpCases, throughputCases } from './http.ts';
import { processCases } from './processes.ts';
import { queueCases } from './queues.ts';

export const alertCases: CasesOf = {
  ...errorBudgetCases,
  ...httpCases,
  ...throughputCases,
  ...processCases,
  ...queueCases,
  ...catalogueCases,
  ...databaseCases,
};

/**
 * What the product promises, as data: objectives with their error budgets, floors, and every alert. Rules, promtool tests,
 * Alertmanager's inhibition, dashboards, rollout gates and the load test take their figures from here and nowhere else.
 */
import type { Alert } from './alert.ts';
import { catalogueAlerts } from './alerts/catalogue.ts';
import { databaseAlerts } from './alerts/database.ts';
import { errorBudgetAlerts } from './alerts/error-budget.ts';
import { httpAlerts } from './alerts/http.ts';
import { processAlerts } from './alerts/processes.ts';
import { queueAlerts } from './alerts/queues.ts';
import { throughputAlerts } from './alerts/throughput.ts';

export { alertGroups, alertPageOf } from './alert.ts';
export type { Alert, AlertGroup, Cause, Duration, Severity } from './alert.ts';
export * from './objectives.ts';

/** All alerts, the objectives' first. */
export const alerts: readonly Alert[] = [
  ...errorBudgetAlerts,
  ...httpAlerts,
  ...throughputAlerts,
  ...processAlerts,
  ...queueAlerts,
  ...catalogueAlerts,
  ...databaseAlerts,
];

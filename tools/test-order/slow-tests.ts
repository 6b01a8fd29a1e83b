/**
 * The test files that take longest, in the order in which they start: the slowest first, but not side by side the two that walk
 * runbooks on hosts of pm2. Each has some twenty processes, and together they keep those waiting for longer than an operator would.
 */
export const slowTests: readonly string[] = [
  'runbooks/test/rollout.e2e.test.ts',
  'apps/cli/test/doctor.e2e.test.ts',
  'apps/maintenance/test/rollout.e2e.test.ts',
  'runbooks/test/procedures.e2e.test.ts',
  'apps/api/test/fuzz.e2e.test.ts',
  'observability/test/alerts.monitoring.e2e.test.ts',
  'apps/worker/test/lanes.e2e.test.ts',
  'runbooks/test/object-storage.s3.e2e.test.ts',
  'apps/api/test/fleet.e2e.test.ts',
  'tools/chaos.e2e.test.ts',
  'tools/loadtest.e2e.test.ts',
  'apps/maintenance/test/metrics-away.e2e.test.ts',
  'observability/check/rules.monitoring.e2e.test.ts',
  'apps/cli/test/ops.e2e.test.ts',
  'apps/api/test/gallery.browser.e2e.test.ts',
  'apps/api/test/moderation.e2e.test.ts',
  'apps/api/test/object-storage.s3.e2e.test.ts',
  'apps/api/test/paging.e2e.test.ts',
  'libs/catalog/src/ranking.db.test.ts',
  'apps/api/test/rate-limits.e2e.test.ts',
  'libs/rollout/src/flags.db.test.ts',
  'tools/seed/bulk/seed-bulk.db.test.ts',
  'runbooks/test/tuning.e2e.test.ts',
];

/**
 * Seconds of the test files that take longest, with two at a time on two cores. What orders a run, it measures nothing: a figure
 * that is a third off does no harm.
 */
export const slowTests: Record<string, number> = {
  'runbooks/test/rollout.e2e.test.ts': 300,
  'runbooks/test/procedures.e2e.test.ts': 256,
  'apps/maintenance/test/rollout.e2e.test.ts': 218,
  'apps/cli/test/doctor.e2e.test.ts': 215,
  'apps/api/test/fuzz.e2e.test.ts': 190,
  'apps/worker/test/lanes.e2e.test.ts': 159,
  'apps/api/test/fleet.e2e.test.ts': 138,
  'tools/chaos.e2e.test.ts': 137,
  'apps/cli/test/ops.e2e.test.ts': 130,
  'apps/api/test/gallery.browser.e2e.test.ts': 117,
  'apps/api/test/rate-limits.e2e.test.ts': 116,
  'apps/api/test/paging.e2e.test.ts': 110,
  'apps/api/test/moderation.e2e.test.ts': 100,
  'libs/catalog/src/ranking.db.test.ts': 80,
  'libs/catalog/src/pack-search.db.test.ts': 80,
  'tools/seed/bulk/seed-bulk.db.test.ts': 58,
  'libs/rollout/src/flags.db.test.ts': 56,
  'runbooks/test/tuning.e2e.test.ts': 49,
};

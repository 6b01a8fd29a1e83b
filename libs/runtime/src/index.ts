export { verifyArchive } from './archive-restore.ts';
export type { RestoreResult } from './archive-restore.ts';
export type { Manifest } from './archive-writer.ts';
export { bearerToken, isFromLoopback, isSameSecret, matchesToken } from './access.ts';
export { pageOfAudit, readAudit, writeAudit } from './audit-store.ts';
export type { AuditRecord } from './audit-store.ts';
export { systemClock } from './clock.ts';
export type { Clock } from './clock.ts';
export { inspectConfig, loadConfig } from './config.ts';
export type { Config, ConfigView } from './config.ts';
export {
  affectedRows,
  connectDatabase,
  databaseErrorCode,
  databaseKindOf,
  fromJsonColumn,
  isAccessDenied,
  isDatabaseAway,
  isUniqueViolation,
  rowsOf,
} from './database.ts';
export type { Database, DatabaseKind, Transaction } from './database.ts';
export type { DatabaseName, DatabaseObserver } from './database-metrics.ts';
export { AppError, errorRegistry, errorText, isAppError } from './errors.ts';
export type { ErrorCode, FieldProblem } from './errors.ts';
export type { Health } from './health.ts';
export { createIdempotencyStore, newClaim } from './idempotency-store.ts';
export type { Claim, IdempotencyStore, RecordedAnswer, StoredRequest } from './idempotency-store.ts';
export { createLeaseStore, readStaleProcesses } from './lease-store.ts';
export type { LeaseStore, LiveProcess, StaleProcess } from './lease-store.ts';
export { createLogger } from './log.ts';
export type { Logger } from './log.ts';
export { createLongProgress } from './long-progress.ts';
export { createLoop } from './loop.ts';
export type { Loop } from './loop.ts';
export { createMembership, leaseTtlMs, safetyMarginMs } from './membership.ts';
export type { Membership } from './membership.ts';
export { Counter, Gauge, Histogram, createMetrics } from './metrics.ts';
export type { Metrics } from './metrics.ts';
export { readPartitionEnds } from './partition-ends-store.ts';
export { createPartitionKeeper } from './partition-keeper.ts';
export type { PartitionPass } from './partition-keeper.ts';
export { processNames } from './process-names.ts';
export { runProcess } from './process.ts';
export type { Component, ProcessContext } from './process.ts';
export { createRateLimitStore } from './rate-limit-store.ts';
export type { RateLimitStore } from './rate-limit-store.ts';
export { requestRetention } from './request-retention.ts';
export { createRetention } from './retention.ts';
export type { Retention, RetentionRun, RetentionStatus } from './retention.ts';
export type { RetentionHook, RetentionPolicy } from './retention-policy.ts';
export { migrateDown, migrateUp, missingMigrations, unknownMigrations } from './schema.ts';
export { deniedTables, readServerClock, readServerFacts } from './server-facts-store.ts';
export { createServerFigures } from './server-figures-store.ts';
export type { ServerFigures } from './server-figures-store.ts';
export type { ServerClock, ServerFacts } from './server-facts-store.ts';
export { sqlDayOf, sqlNow, sqlNowPlus, sqlSecondsSince } from './sql-time.ts';
export { addColumns, addIndexes, createTables, dropColumns, dropIndexes, dropTables } from './table-ddl.ts';
export type { Column, Table } from './table-ddl.ts';
export { parseTraceContext } from './trace-context.ts';
export type { TraceContext } from './trace-context.ts';
export { activeTrace, errorTypeOf, inSpan, isTracing, messagingAttributes, openSpan } from './tracing.ts';
export type { OpenSpan, SpanOptions } from './tracing.ts';
export { buildVersion, productVersion } from './version.ts';
export { createWakeups } from './wakeups.ts';
export type { Wakeups } from './wakeups.ts';

export { freePort } from './free-port.ts';
export { spawnProcess } from './spawn-process.ts';
export type { SpawnedProcess, SpawnOptions } from './spawn-process.ts';
export { createTestDatabase, testDatabaseKinds } from './test-database.ts';
export type { TestDatabase, TestDatabaseKind } from './test-database.ts';
export { waitFor } from './wait-for.ts';

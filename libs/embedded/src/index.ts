export { freePort } from './free-port.ts';
export { locateMariadb } from './mariadb-location.ts';
export type { MariadbInstallation } from './mariadb-location.ts';
export { startMariadb } from './mariadb.ts';
export type { EmbeddedMariadb, MariadbOptions } from './mariadb.ts';
export { startEmbeddedPostgres } from './postgres.ts';
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from './postgres.ts';
export { isProcessAlive, readProcessStart } from './process-identity.ts';
export type { ProcessExit, StopOptions } from './server-process.ts';

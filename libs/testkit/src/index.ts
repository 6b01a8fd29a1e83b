export { ask } from './builders/ask.ts';
export type { Answer, AskOptions } from './builders/ask.ts';
export { createCatalogueClient } from './builders/catalogue-client.ts';
export type {
  CatalogueClient,
  NewSticker,
  PackDetailJson,
  PackListJson,
  PackSummaryJson,
  StickerJson,
} from './builders/catalogue-client.ts';
export { buildPng, drawApng, drawPng } from './builders/draw-png.ts';
export { buildZip } from './builders/build-zip.ts';
export type { ZipPart } from './builders/build-zip.ts';
export { buildMultipart } from './builders/multipart.ts';
export type { Part } from './builders/multipart.ts';
export { openBrowser } from './browser/open-browser.ts';
export type { BrowserInstallation, TestBrowser, Visit, VisitOptions } from './browser/open-browser.ts';
export { holdLeases } from './hold-leases.ts';
export { freePort } from './free-port.ts';
export { registerProcess } from './register-process.ts';
export { spawnProcess } from './spawn-process.ts';
export type { SpawnedProcess, SpawnOptions } from './spawn-process.ts';
export { startBadNetwork } from './start-bad-network.ts';
export type { BadNetwork } from './start-bad-network.ts';
export { fleetProcesses, startFleet } from './start-fleet.ts';
export type { Fleet, FleetOptions, FleetProcess, Owner } from './start-fleet.ts';
export { startObjectStorage } from './start-object-storage.ts';
export type { ObjectStorage } from './start-object-storage.ts';
export { startLoad } from './start-load.ts';
export type { Load, LoadCounts } from './start-load.ts';
export { createTestDatabase, testDatabaseKinds } from './test-database.ts';
export type { TestDatabase, TestDatabaseKind } from './test-database.ts';
export { waitFor } from './wait-for.ts';
export { openRunbook } from './runbook/open-runbook.ts';
export type { BlockRun, Runbook, RunbookOptions, RunOptions } from './runbook/open-runbook.ts';
export { npmCommandsIn } from './runbook/read-page.ts';

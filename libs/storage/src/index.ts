export { createBuildCache } from './build-cache.ts';
export type { BuildCache } from './build-cache.ts';
export { createDiskStore } from './disk-store.ts';
export type { BlobKind, DiskStore } from './disk-store.ts';

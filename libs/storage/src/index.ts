export { createDiskStore } from './disk-store.ts';
export type { BlobKind, DiskStore } from './disk-store.ts';

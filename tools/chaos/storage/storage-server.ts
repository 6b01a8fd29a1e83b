/** A private S3 server for the runs of one call: OpenStack Swift, which checks signatures as S3 does, killed and started again by a fault. */
import path from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { locateSwift, startSwift } from '@omnizap/embedded';
import type { SwiftInstallation } from '@omnizap/embedded';

const cacheDir = path.resolve(import.meta.dirname, '../../..', '.cache', 'object-storage');

export type StorageMode = 'proxy' | 'redirect';

export type StorageServer = {
  /** An empty one. */
  createBucket: (bucket: string) => Promise<void>;
  /** A client of the harness's own; whoever asks for it closes it. */
  connect: () => S3Client;
  /** What makes a process use that bucket. */
  settings: (bucket: string, mode: StorageMode) => Record<string, string>;
  /** SIGKILL. */
  kill: () => Promise<void>;
  /** Resolves when it answers again, at the same address and with what it had. */
  start: () => Promise<void>;
  close: () => Promise<void>;
};

/** Null, with the reason said, where there is none and none can be fetched. */
export async function findStorage(say: (line: string) => void): Promise<SwiftInstallation | null> {
  return await locateSwift({ cacheDir, log: (line) => say(`object storage: ${line}`) });
}

export async function startStorageServer(options: {
  installation: SwiftInstallation;
  dataDir: string;
  log: (line: string) => void;
  signal: AbortSignal;
}): Promise<StorageServer> {
  const swift = await startSwift(options);
  const { endpoint, region, accessKeyId, secretAccessKey } = swift;
  const connect = (): S3Client =>
    new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  let isUp = true;
  return {
    connect,
    async createBucket(bucket) {
      const client = connect();
      await client.send(new CreateBucketCommand({ Bucket: bucket })).finally(() => client.destroy());
    },
    settings: (bucket, mode) => ({
      STICKER_OBJECT_STORAGE_BUCKET: bucket,
      STICKER_OBJECT_STORAGE_ENDPOINT: endpoint,
      STICKER_OBJECT_STORAGE_REGION: region,
      STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: accessKeyId,
      STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: secretAccessKey,
      STICKER_OBJECT_STORAGE_MODE: mode,
    }),
    async kill() {
      isUp = false;
      await swift.kill();
    },
    async start() {
      if (isUp) return;
      await swift.restart();
      isUp = true;
    },
    close: async () => await swift.stop(),
  };
}

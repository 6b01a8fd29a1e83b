/** An S3 server of a test file's own, with an empty bucket in it: OpenStack Swift, which checks signatures as S3 does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startSwift } from '@omnizap/embedded';
import type { EmbeddedSwift, SwiftInstallation } from '@omnizap/embedded';
import { registerProcess } from './register-process.ts';

export type ObjectStorage = Pick<
  EmbeddedSwift,
  'endpoint' | 'region' | 'accessKeyId' | 'secretAccessKey' | 'pids' | 'tail' | 'kill' | 'restart'
> & {
  bucket: string;
  /** Ends the server and removes all that it kept. */
  stop: () => Promise<void>;
};

/** Start it in `beforeAll`, stop it in `afterAll`. Clients must put the bucket into the path. @throws Error when `npm test` found no Swift */
export async function startObjectStorage({ bucket = 'stickers' }: { bucket?: string } = {}): Promise<ObjectStorage> {
  const installation = swiftOfTestRun();
  const parent = await mkdtemp(path.join(tmpdir(), 'omnizap object storage '));
  let forget = (): void => undefined;
  const swift = await startSwift({ installation, dataDir: path.join(parent, 'swift') }).catch(
    async (error: unknown) => {
      await rm(parent, { recursive: true, force: true });
      throw error;
    },
  );

  function register(): void {
    const [pid = 0] = swift.pids();
    forget = registerProcess(pid, 'object storage (OpenStack Swift)');
  }
  async function stop(): Promise<void> {
    await swift.stop();
    forget();
    await rm(parent, { recursive: true, force: true });
  }

  register();
  try {
    await createBucket(swift, bucket);
  } catch (error) {
    await stop();
    throw error;
  }
  const { endpoint, region, accessKeyId, secretAccessKey, pids, tail } = swift;
  return {
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    bucket,
    pids,
    tail,
    async kill() {
      await swift.kill();
      forget();
    },
    async restart() {
      forget();
      await swift.restart();
      register();
    },
    stop,
  };
}

function swiftOfTestRun(): SwiftInstallation {
  const found = process.env.OMNIZAP_TEST_SWIFT;
  if (found === undefined)
    throw new Error('There is no object storage: run this by "npm test", which finds or fetches it.');
  return JSON.parse(found) as SwiftInstallation;
}

async function createBucket(swift: EmbeddedSwift, bucket: string): Promise<void> {
  const { endpoint, region, accessKeyId, secretAccessKey } = swift;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } finally {
    client.destroy();
  }
}

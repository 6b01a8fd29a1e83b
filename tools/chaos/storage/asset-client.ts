/** One GET of a sticker's bytes, followed to the bucket where the answer leads there. Nothing is tried again. */
import { createHash } from 'node:crypto';
import { Agent, get } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AssetRecord, AssetWay } from './asset-records.ts';

const timeoutMs = 12_000;
/** The API closes a connection on which nothing was asked for 5 s; whoever asks at that moment is reset, and nobody is to blame. */
const longestIdleMs = 3_000;
/** How much of a file is asked for at once by those who want a part. */
const partBytes = 200;

export type AssetTarget = {
  /** Of the API. */
  path: string;
  packKey: string;
  /** Of the bytes that must come. */
  sha256: string;
  /** Of what was uploaded. */
  originalSha256: string;
};

type Answer = { status: number; headers: IncomingHttpHeaders; bytes: Buffer };

export type AssetClient = {
  ask: (baseUrl: string, target: AssetTarget, way: AssetWay) => Promise<Omit<AssetRecord, 'isExplained'>>;
  close: () => void;
};

/** One connection to the API, and one to the bucket. `known` are right bytes by their SHA-256, to compare parts with. */
export function createAssetClient(known: Map<string, Buffer>): AssetClient {
  const api = new Agent({ keepAlive: true, maxSockets: 1 });
  const bucket = new Agent({ keepAlive: true, maxSockets: 1 });
  let usedAt = 0;

  async function ask(
    baseUrl: string,
    target: AssetTarget,
    wanted: AssetWay,
  ): Promise<Omit<AssetRecord, 'isExplained'>> {
    const whole = known.get(target.sha256);
    const way = wanted === 'part' && whole === undefined ? 'whole' : wanted;
    const headers = headersFor(way, target);
    const startedAt = Date.now();
    if (startedAt - usedAt > longestIdleMs) close();
    let answeredAt = startedAt;
    let handedOutAt: number | null = null;
    let status = 0;
    let problem: string | null;
    try {
      let answer = await request(`${baseUrl}${target.path}`, headers, api);
      answeredAt = Date.now();
      const { location } = answer.headers;
      if (answer.status === 302 && location !== undefined) {
        handedOutAt = answeredAt;
        answer = await request(location, headers, bucket);
      }
      ({ status } = answer);
      problem = problemOf(answer, way, { target, whole, isFromApi: handedOutAt === null });
      if (problem === null && status === 200) known.set(target.sha256, answer.bytes);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      problem = code ?? message;
      if (handedOutAt === null) answeredAt = Date.now();
    }
    usedAt = Date.now();
    const isLate = problem === 'timeout' || status === 503;
    return { path: target.path, way, startedAt, answeredAt, endedAt: usedAt, status, handedOutAt, problem, isLate };
  }

  /** Of the connections; the next request makes new ones. */
  function close(): void {
    api.destroy();
    bucket.destroy();
  }

  return { ask, close };
}

function headersFor(way: AssetWay, { sha256 }: AssetTarget): Record<string, string> {
  if (way === 'part') return { Range: `bytes=0-${partBytes - 1}` };
  return way === 'known' ? { 'If-None-Match': `"${sha256}"` } : {};
}

/** Only an answer of the API carries the SHA-256 as its ETag: the bucket has one of its own. */
export function problemOf(
  { status, headers, bytes }: Answer,
  way: AssetWay,
  { target, whole, isFromApi }: { target: AssetTarget; whole: Buffer | undefined; isFromApi: boolean },
): string | null {
  if (isFromApi && status < 400 && headers.etag !== `"${target.sha256}"`)
    return `ETag ${headers.etag ?? 'missing'} instead of ${target.sha256}`;
  const expected = { whole: 200, part: 206, known: 304 }[way];
  if (status !== expected) return `answered ${status} instead of ${expected}`;
  if (way === 'known') return bytes.length === 0 ? null : 'a 304 with a body';
  if (way === 'part') {
    const part = whole?.subarray(0, partBytes);
    return part?.equals(bytes) === true ? null : `${bytes.length} bytes of a part that are not the right ones`;
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return sha256 === target.sha256 ? null : `${bytes.length} bytes with the SHA-256 ${sha256}`;
}

async function request(url: string, headers: Record<string, string>, agent: Agent): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const asking = get(url, { headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) });
      });
    });
    const timer = setTimeout(() => asking.destroy(Object.assign(new Error(), { code: 'timeout' })), timeoutMs);
    asking.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

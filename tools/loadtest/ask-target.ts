/** Single questions to the target before and after the load, and to its processes for their metrics. Redirects are not followed. */
import { Agent, request } from 'undici';
import type { Answer, Ask } from './discover-catalogue.ts';
import { isLoopback, pinnedLookup, type TargetAddress } from './target-host.ts';

const askTimeoutMs = 10_000;
const largestAnswerBytes = 16 * 1_024 * 1_024;

export type TargetClient = {
  ask: Ask;
  /** GET of an address that the target named. @throws NotOnTargetError when it is on another host */
  askProcess: (url: string, headers?: Record<string, string>) => Promise<Answer>;
  close: () => Promise<void>;
};

export class NotOnTargetError extends Error {}

export function createTargetClient(baseUrl: string, target: TargetAddress): TargetClient {
  const dispatcher = new Agent({ connect: { lookup: pinnedLookup(target), timeout: askTimeoutMs } });
  const direct = new Agent({ connect: { timeout: askTimeoutMs } });

  async function get(url: string, agent: Agent, headers: Record<string, string>): Promise<Answer> {
    const answer = await request(url, {
      dispatcher: agent,
      headers: { 'user-agent': 'omnizap-loadtest', ...headers },
      headersTimeout: askTimeoutMs,
      bodyTimeout: askTimeoutMs,
    });
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > largestAnswerBytes) throw new Error(`${url} answers with more than ${largestAnswerBytes} bytes`);
      parts.push(chunk);
    }
    const { etag } = answer.headers;
    return {
      status: answer.statusCode,
      etag: typeof etag === 'string' ? etag : undefined,
      text: Buffer.concat(parts).toString('utf8'),
    };
  }

  return {
    ask: async (path, headers = {}) => await get(`${baseUrl}${path}`, dispatcher, headers),
    async askProcess(url, headers = {}) {
      const { hostname } = new URL(url);
      const host = hostname.replace(/^\[(.*)\]$/, '$1');
      // Loopback means the machine of whoever says it: here it is the target only when that is here, too.
      if (host !== target.address && !(isLoopback(host) && isLoopback(target.address)))
        throw new NotOnTargetError(`${new URL(url).host} is not on the host that the load goes to (${target.address})`);
      return await get(url, direct, headers);
    },
    close: async () => {
      await Promise.all([dispatcher.destroy(), direct.destroy()]);
    },
  };
}

/** The list that the gallery opens with, asked again and again: against a bare node:http server that answers the same bytes. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnProcess, waitFor } from '@omnizap/testkit';
import { z } from 'zod';
import { drawBenchStickers } from './bench-drawings.ts';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';
import { runClosedLoop } from './closed-loop.ts';
import { createOwnerSession } from './owner-session.ts';

const pageSize = 24;
const packCount = 30;
const stickersInPack = 3;
const connections = 32;
const seconds = 5;
const encodings = ['identity', 'br'];
const listPath = `/api/sticker-packs?limit=${pageSize}`;
/** A new generation every five minutes would be a new answer in the middle of a round. */
const quietRanking = { STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS: '86400000' };
/** The ranking is published again at most 3 s after a change; a list that is the same for longer stays so. */
const unchangedMs = 8_000;
const listSchema = z.object({ data: z.array(z.object({ sticker_count: z.int() })) });
/** Everything of the real answer that a client sees, without what node:http adds by itself. */
const droppedHeaders = ['connection', 'date', 'keep-alive', 'transfer-encoding'];

export const listBench: Bench = {
  name: 'list',
  summary: `${connections} connections ask for the first ${pageSize} packs for ${seconds} s, against a bare node:http server.`,
  rounds: 3,
  async prepare(context) {
    const { startFleet, say, signal } = context;
    say(`drawing ${packCount * stickersInPack} stickers`);
    const stickers = await drawBenchStickers('webp', packCount * stickersInPack, 1);
    const fleet = await startFleet(quietRanking);
    const session = await createOwnerSession(fleet);
    for (const packKey of await session.addAll(stickers, stickersInPack)) await session.publish(packKey);
    await fleet.whenQuiet();
    const url = new URL(listPath, fleet.apiUrl);
    let etag: string | null = null;
    let changedAt = 0;
    await waitFor(
      async () => {
        const response = await fetch(url);
        const { data } = listSchema.parse(await response.json());
        if (response.headers.get('etag') !== etag) changedAt = performance.now();
        etag = response.headers.get('etag');
        const isFull = data.length === pageSize && data.every((pack) => pack.sticker_count === stickersInPack);
        return isFull && performance.now() - changedAt > unchangedMs;
      },
      { timeoutMs: 60_000, intervalMs: 250, description: 'a ranking of all packs that changes no more' },
    );

    return async () => {
      const rates = new Map<string, number>();
      for (const encoding of encodings) {
        const { bareUrl, etag, stop } = await startBareServer(context, url, encoding);
        for (const expectedStatus of [200, 304]) {
          const condition: Record<string, string> = expectedStatus === 304 ? { 'if-none-match': etag } : {};
          const headers = { 'accept-encoding': encoding, ...condition };
          for (const [server, baseUrl] of [
            ['bare', bareUrl],
            ['api', fleet.apiUrl],
          ] as const) {
            const load = { baseUrl, path: listPath, headers, connections, seconds, expectedStatus, signal };
            const before = await fleet.cpuSeconds(['api']);
            const rate = await runClosedLoop(load);
            const after = await fleet.cpuSeconds(['api']);
            rates.set(`${encoding} ${expectedStatus} ${server}`, rate);
            if (server === 'bare') continue;
            rates.set(`${encoding} ${expectedStatus} cpu`, perAnswer(after.processes - before.processes, rate));
            rates.set(`${encoding} ${expectedStatus} database`, perAnswer(after.database - before.database, rate));
          }
        }
        await stop();
      }
      return measurementsOf(rates);
    };
  },
};

async function startBareServer({ folder, cleanUp }: BenchContext, url: URL, acceptEncoding: string) {
  const { headers, body } = await rawAnswer(url, acceptEncoding);
  const file = path.join(folder, `answer-${acceptEncoding}.json`);
  await writeFile(file, JSON.stringify({ headers, body: body.toString('base64') }));
  const starting = spawnProcess(fileURLToPath(import.meta.resolve('./bare-server.ts')), [file]);
  const stop = async (): Promise<void> => {
    const server = await starting.catch(() => null);
    await server?.stop();
  };
  cleanUp(stop);
  return { bareUrl: (await starting).url, etag: headers.etag ?? '', stop };
}

/** As it goes over the wire; fetch would decode the body. */
async function rawAnswer(url: URL, acceptEncoding: string): Promise<{ headers: Record<string, string>; body: Buffer }> {
  const asking = request(url, { headers: { 'accept-encoding': acceptEncoding } }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const body = Buffer.concat((await response.toArray()) as Buffer[]);
  const kept = Object.entries(response.headers).filter(([name]) => !droppedHeaders.includes(name));
  return { headers: Object.fromEntries(kept.map(([name, value]) => [name, String(value)])), body };
}

const perAnswer = (cpuSeconds: number, rate: number): number => (cpuSeconds * 1_000) / (rate * seconds);

function measurementsOf(rates: Map<string, number>): Measurement[] {
  return encodings.flatMap((encoding) =>
    ['200', '304'].flatMap((kind) => {
      const api = rates.get(`${encoding} ${kind} api`) ?? NaN;
      const bare = rates.get(`${encoding} ${kind} bare`) ?? NaN;
      const label = `${encoding}, ${kind}`;
      return [
        { name: `${label}: answers`, unit: '/s', value: api },
        { name: `${label}: reference, bare node:http`, unit: '/s', value: bare },
        { name: `${label}: processor time of the API`, unit: 'ms', value: rates.get(`${encoding} ${kind} cpu`) ?? NaN },
        {
          name: `${label}: processor time of PostgreSQL`,
          unit: 'ms',
          value: rates.get(`${encoding} ${kind} database`) ?? NaN,
        },
        { name: `${label}: against the reference`, unit: 'x', value: api / bare },
      ];
    }),
  );
}

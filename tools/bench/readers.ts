/** What readers of a measured fleet ask for, and the switch that keeps work waiting meanwhile. */
import { taskTypes } from '@omnizap/catalog';
import { waitFor } from '@omnizap/testkit';
import { z } from 'zod';
import type { BenchFleet } from './bench-fleet.ts';

const listSchema = z.object({ data: z.array(z.object({ pack_key: z.string() })) });
const packSchema = z.object({ data: z.object({ stickers: z.array(z.object({ asset_url: z.string() })) }) });

/** A list, packs and stickers in equal shares, as a gallery asks for them. */
export async function pathsToRead(fleet: BenchFleet): Promise<string[]> {
  const read = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> =>
    schema.parse(await (await fetch(new URL(path, fleet.apiUrl))).json());
  const list = '/api/sticker-packs?limit=24';
  const packKeys = await waitFor(
    async () => {
      const { data } = await read(list, listSchema);
      return data.length === 24 ? data.map((pack) => pack.pack_key) : null;
    },
    { timeoutMs: 60_000, intervalMs: 250, description: 'a full first page' },
  );
  const packs = packKeys.map((packKey) => `/api/sticker-packs/${packKey}`);
  const details = await Promise.all(packs.map(async (path) => await read(path, packSchema)));
  const stickers = details.map(({ data }) => data.stickers[0]?.asset_url ?? '').filter((url) => url !== '');
  return [...packs.map(() => list), ...packs, ...stickers];
}

/** Pauses or resumes every task type; known everywhere within 2 s. */
export async function controlQueues(fleet: BenchFleet, action: 'pause' | 'resume'): Promise<void> {
  for (const taskType of taskTypes) {
    const response = await fetch(new URL(`/api/admin/queues/${taskType}/${action}`, fleet.apiUrl), {
      method: 'POST',
      headers: { authorization: `Bearer ${fleet.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'bench' }),
    });
    if (!response.ok) throw new Error(`${action} of ${taskType} was answered ${response.status}`);
  }
}

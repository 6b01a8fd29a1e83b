/**
 * What a fleet costs that has worked and now has nothing to do: memory, and statements sent to the database (pg-boss's count as well
 * as ours).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { drawBenchStickers } from './bench-drawings.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench, Measurement } from './bench-types.ts';
import { createOwnerSession } from './owner-session.ts';
import { readPssBytes } from './process-memory.ts';
import { childrenOf } from './process-tree.ts';
import { countStatements, perSecondOf } from './statement-log.ts';

const windowSeconds = 20;
/** Gauges, the next ranking and the closing of idle connections (30 s) belong to the work before. */
const settleSeconds = 35;
const stickerCount = 60;
const mebibyte = 1_024 * 1_024;
const maxFleetMib = 1_024;
const maxQueriesPerSecond = 2;

export const idleBench: Bench = {
  name: 'idle',
  summary: `Idle fleet over ${windowSeconds} s: memory (PSS) and statements per second of each process.`,
  rounds: 3,
  async prepare({ startFleet, say, signal }) {
    say(`drawing ${stickerCount} stickers`);
    const stickers = await drawBenchStickers('png', stickerCount, 1);
    const fleet = await startFleet();
    const session = await createOwnerSession(fleet);
    for (const packKey of await session.addAll(stickers)) await session.publish(packKey);
    await fleet.whenQuiet();
    say(`settling for ${settleSeconds} s`);
    await delay(settleSeconds * 1_000, undefined, { signal });
    return async () => {
      await fleet.whenQuiet();
      const { statements, transactions } = await countStatements(fleet, windowSeconds, signal);
      return [...(await memoryOf(fleet)), ...rates(fleet, statements, transactions)];
    };
  },
};

/** Wake-up listeners of all processes share one name. */
function rates(fleet: BenchFleet, statements: Map<string, number>, transactions: number): Measurement[] {
  const names = fleet.processes().map(({ name }) => name);
  const byProcess = names.map((name) => ({ name, value: perSecondOf(name, statements, windowSeconds) }));
  const own = [...statements.keys()].filter((name) => name.startsWith('omnizap'));
  return [
    ...byProcess.map(({ name, value }) => ({
      name: `${name}: statements`,
      unit: '/s',
      value,
      target: { atMost: maxQueriesPerSecond },
    })),
    {
      name: 'wake-ups of all processes: statements',
      unit: '/s',
      value: (statements.get('omnizap wakeups') ?? 0) / windowSeconds,
    },
    {
      name: 'fleet: statements per process',
      unit: '/s',
      value: own.reduce((sum, name) => sum + (statements.get(name) ?? 0), 0) / windowSeconds / names.length,
      target: { atMost: maxQueriesPerSecond },
    },
    { name: 'database: transactions in all', unit: '/s', value: transactions / windowSeconds },
  ];
}

async function memoryOf(fleet: BenchFleet): Promise<Measurement[]> {
  const sum = async (pids: number[]): Promise<number> => {
    const sizes = await Promise.all(pids.map(readPssBytes));
    return sizes.reduce((total, bytes) => total + bytes, 0) / mebibyte;
  };
  const each = await Promise.all(
    fleet.processes().map(async ({ name, pid }) => ({ name: `${name}: PSS`, unit: 'MiB', value: await sum([pid]) })),
  );
  const fleetMib = each.reduce((total, { value }) => total + value, 0);
  const databaseMib = await sum([fleet.postgresPid, ...(await childrenOf(fleet.postgresPid))]);
  const target = { atMost: maxFleetMib };
  return [
    ...each,
    { name: 'fleet: PSS', unit: 'MiB', value: fleetMib, target },
    { name: 'fleet and PostgreSQL: PSS', unit: 'MiB', value: fleetMib + databaseMib, target },
  ];
}

/**
 * Processor time as Linux counts it. A machine that others use as well makes every wall-clock figure worse; processor time per
 * piece of work hardly changes, and what the others took is said beside the figures.
 */
import { readFile } from 'node:fs/promises';
import { childrenOf } from './process-tree.ts';

/** USER_HZ: the unit of /proc/stat and /proc/<pid>/stat on every Linux that Node.js runs on. */
const ticksPerSecond = 100;

/** Processor seconds of these processes and of the children that they have waited for. A process that is gone counts 0. */
export async function readCpuSeconds(pids: number[]): Promise<number> {
  const ticks = await Promise.all(pids.map(ticksOf));
  return ticks.reduce((sum, count) => sum + count, 0) / ticksPerSecond;
}

export type CpuWatch = () => Promise<{
  /** Processor seconds of this process and everything below it. */
  ownSeconds: number;
  /** Cores that all other processes of the machine (and a hypervisor's other guests) took on average. */
  foreignCores: number;
}>;

/** Starts to watch; the returned function reads how much there was until its call. */
export async function watchCpu(): Promise<CpuWatch> {
  const startedAt = performance.now();
  const before = await readBoth();
  return async () => {
    const after = await readBoth();
    const ownSeconds = after.own - before.own;
    const foreignSeconds = after.busy - before.busy - ownSeconds;
    return { ownSeconds, foreignCores: Math.max(0, foreignSeconds / ((performance.now() - startedAt) / 1_000)) };
  };
}

async function readBoth(): Promise<{ busy: number; own: number }> {
  const [busy, tree] = await Promise.all([readBusySeconds(), treeOf(process.pid)]);
  return { busy, own: await readCpuSeconds(tree) };
}

async function treeOf(pid: number): Promise<number[]> {
  const below = await Promise.all((await childrenOf(pid)).map(treeOf));
  return [pid, ...below.flat()];
}

/** user, nice, system, (idle, iowait,) irq, softirq, steal. */
async function readBusySeconds(): Promise<number> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n', 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond;
}

async function ticksOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return 0;
  // utime, stime, cutime, cstime are fields 14 to 17; the second field, a name, may hold spaces.
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .reduce((sum, field) => sum + Number(field), 0);
}

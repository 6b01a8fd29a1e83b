/** Memory of processes as Linux counts it: PSS, where a page that several processes share is divided among them. */
import { readFile } from 'node:fs/promises';

const bytesPerKib = 1_024;

/** Proportional set size in bytes. Throws where there is no /proc/<pid>/smaps_rollup (not Linux, or the process is gone). */
export async function readPssBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = /^Pss:\s+(\d+) kB$/m.exec(text)?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/smaps_rollup names no Pss`);
  return Number(kib) * bytesPerKib;
}

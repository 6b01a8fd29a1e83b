import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Tells tools/test.ts of a process, so that one left running is named, ended and a failure. Call what it returns when it is gone. */
export function registerProcess(pid: number, title: string): () => void {
  const folder = process.env.OMNIZAP_TEST_PROCESSES;
  if (!folder || pid === 0) return () => undefined;
  const file = path.join(folder, String(pid));
  writeFileSync(file, title);
  return () => rmSync(file, { force: true });
}

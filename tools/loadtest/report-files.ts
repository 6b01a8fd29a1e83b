/** The files of `--out`: tried before the load, which would be lost with them, and replaced whole or not at all. */
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { renderHtmlReport } from './html-report.ts';
import { htmlFileOf } from './load-options.ts';
import type { LoadReport } from './report-schema.ts';

export type ReportFiles = {
  /** Returns the names of what was written. */
  write: (report: LoadReport) => Promise<string[]>;
};

/** @throws Error with a line for the user when a report could not be written there */
export async function openReportFiles(file: string): Promise<ReportFiles> {
  const names = [file, htmlFileOf(file)];
  const partOf = (name: string): string => `${name}.${process.pid}.part`;
  try {
    await mkdir(path.dirname(path.resolve(file)), { recursive: true });
    for (const name of names) {
      if ((await stat(name).catch(() => null))?.isDirectory() === true) throw new Error(`${name} is a folder`);
      await (await open(partOf(name), 'w')).close();
      await rm(partOf(name));
    }
  } catch (error) {
    throw new Error(`--out ${file} cannot be written (${(error as Error).message})`, { cause: error });
  }
  return {
    async write(report) {
      const contents = [`${JSON.stringify(report, null, 2)}\n`, renderHtmlReport(report)];
      for (const [index, name] of names.entries()) {
        await writeFile(partOf(name), contents[index] ?? '');
        await rename(partOf(name), name);
      }
      return names;
    },
  };
}

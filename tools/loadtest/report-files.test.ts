import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openReportFiles } from './report-files.ts';
import { sampleReport } from './sample-report.ts';

describe('the files of --out', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'omnizap-report-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it('are left as they were until there is a report, and then replaced, with nothing beside them', async () => {
    const file = path.join(folder, 'new', 'run.json');
    await mkdir(path.dirname(file));
    await writeFile(file, 'the last one');
    const files = await openReportFiles(file);
    expect(await readFile(file, 'utf8')).toBe('the last one');
    const report = sampleReport({ latencyMs: 20, seed: 1 });
    await files.write(report);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(report);
    expect((await readdir(path.dirname(file))).toSorted()).toEqual(['run.html', 'run.json']);
  });

  it('that cannot be written are refused beforehand', async () => {
    await mkdir(path.join(folder, 'taken.json'));
    await expect(openReportFiles(path.join(folder, 'taken.json'))).rejects.toThrow(/taken\.json is a folder/);
    await writeFile(path.join(folder, 'file'), '');
    await expect(openReportFiles(path.join(folder, 'file', 'run.json'))).rejects.toThrow(/--out .* cannot be written/);
  });
});

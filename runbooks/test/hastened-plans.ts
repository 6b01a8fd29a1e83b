/** The plans and gates of the release with less time: ten minutes of watching are five seconds. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stableFolder } from '../../deploy/pm2/test/pm2-host.ts';

/** Less time, fewer samples, and limits of time that a machine with other tests on it keeps as well. */
const hastened: [RegExp, string][] = [
  [/bake: 10m/g, 'bake: 5s'],
  [/window: (5|10)m/g, 'window: 30s'],
  [/^stages:/gm, 'passes: 1\nstages:'],
  [/min_samples: (50|200)\b/g, 'min_samples: 10'],
  [/min_samples: 1000\b/g, 'min_samples: 50'],
  [/min_samples: 6\b/g, 'min_samples: 2'],
  [/good_up_to: 100\b/g, 'good_up_to: 5000'],
  [/(at_most|above): (750|1500)\b/g, '$1: 5000'],
];

export async function writeHastenedPlans(folder: string): Promise<void> {
  const source = path.join(stableFolder, 'deploy/rollout');
  await mkdir(folder);
  for (const name of await readdir(source)) {
    const text = await readFile(path.join(source, name), 'utf8');
    const quick = hastened.reduce((all, [found, instead]) => all.replace(found, instead), text);
    await writeFile(path.join(folder, name), quick);
  }
}

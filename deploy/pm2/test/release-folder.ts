/** A second release for tests: a folder with the project's code under a version of its own, and the packages of this checkout. */
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

const projectRoot = path.resolve(import.meta.dirname, '../../..');

/** By which `npm run` knows that the packages are those of the lockfile, so that it installs none. */
const installed = ['package-lock.json', 'node_modules/.package-lock.json', 'node_modules/.omnizap-lock-sha256'];

/** `folder` must not exist yet. */
export async function makeRelease(folder: string, version: string): Promise<void> {
  for (const part of ['apps', 'db', 'deploy', 'libs', 'tools'])
    await cp(path.join(projectRoot, part), path.join(folder, part), { recursive: true });
  for (const file of ['package.json', 'libs/runtime/package.json']) {
    const manifest = JSON.parse(await readFile(path.join(projectRoot, file), 'utf8')) as object;
    await writeFile(path.join(folder, file), JSON.stringify({ ...manifest, version }));
  }
  const ours = path.join(folder, 'node_modules/@omnizap');
  await mkdir(ours, { recursive: true });
  for (const lib of await readdir(path.join(folder, 'libs')))
    await symlink(path.join('../../libs', lib), path.join(ours, lib));
  for (const file of installed) await cp(path.join(projectRoot, file), path.join(folder, file));
  for (const entry of await readdir(path.join(projectRoot, 'node_modules'))) {
    if (!entry.startsWith('.') && entry !== '@omnizap')
      await symlink(path.join(projectRoot, 'node_modules', entry), path.join(folder, 'node_modules', entry));
  }
}

/** Breaks a release as bad builds do: its curation worker becomes ready and dies, its rebuild worker does not even start. */
export async function breakWorkers(folder: string): Promise<void> {
  const main = path.join(folder, 'apps/worker/main.ts');
  const sabotage = [
    "if (process.argv[2] === 'rebuild') throw new Error('this build is broken');",
    "if (process.argv[2] === 'curation') setInterval(() => process.env.pm_id && died(), 100);",
    'const bornAt = Date.now();',
    'function died() { if (Date.now() - bornAt > 2_500) throw new Error("this build is broken as well"); }',
  ];
  const code = await readFile(main, 'utf8');
  await writeFile(main, code.replace(/^(?=const kind)/m, `${sabotage.join('\n')}\n`));
}

/**
 * Finds Prometheus with promtool, and Alertmanager with amtool, for what checks rules and alerts: installed ones, else Debian's
 * packages unpacked into a cache folder. Nothing is installed and no root is needed. Null, with the reason in the log, where that is
 * impossible.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { canFetchPackages, unpackPackages } from './debian-packages.ts';

const run = promisify(execFile);

const PACKAGES = ['prometheus', 'prometheus-alertmanager'];
/** Alertmanager's own name, and Debian's. */
const ALERTMANAGER_NAMES = ['alertmanager', 'prometheus-alertmanager'];
/**
 * Debian's Alertmanager looks for its templates below this folder, whatever it is told. Of a copy that was only unpacked the words
 * are made a path, of the same length, relative to the folder that it is started in.
 */
const DEBIAN_SHARE = '/usr/share/prometheus/alertmanager';
const UNPACKED_SHARE = 'usr/share/prometheus/alertmanager/';

/** Programs that can be executed as they are. */
export type MonitoringInstallation = {
  prometheus: string;
  promtool: string;
  alertmanager: string;
  amtool: string;
  /** The folder that Alertmanager has to be started in. */
  home: string;
  /** Of Prometheus and of Alertmanager. */
  versions: { prometheus: string; alertmanager: string };
};

type Options = { cacheDir: string; log?: (line: string) => void };

/** The installed programs, the cached ones, or freshly fetched ones. */
export async function locateMonitoring({
  cacheDir,
  log = () => undefined,
}: Options): Promise<MonitoringInstallation | null> {
  const installed = await inspect('', '/');
  if (installed !== null) return installed;
  const unpacked = path.resolve(cacheDir, `${process.platform}-${process.arch}`);
  const programs = path.join(unpacked, 'usr/bin');
  const cached = await inspect(programs, unpacked);
  if (cached !== null) return cached;
  if (!(await canFetchPackages())) {
    log('they are not on PATH, and this system has no apt-get and dpkg to fetch them');
    return null;
  }
  try {
    log(`fetching ${PACKAGES.join(' and ')} into the cache (once, about 30 MB)`);
    await unpackPackages({
      ...{ into: unpacked, packages: PACKAGES, extras: [] },
      prepare: async (root) => await makeRelocatable(path.join(root, 'usr/bin/prometheus-alertmanager')),
    });
  } catch (error) {
    log(`${PACKAGES.join(' and ')} could not be fetched: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
  const fetched = await inspect(programs, unpacked);
  if (fetched === null) log(`the programs unpacked in ${unpacked} do not run here`);
  return fetched;
}

/** In that folder, or on PATH. */
async function inspect(folder: string, home: string): Promise<MonitoringInstallation | null> {
  const [prometheus, promtool, amtool] = await Promise.all(
    ['prometheus', 'promtool', 'amtool'].map(async (name) => await versionOf(path.join(folder, name))),
  );
  if (!prometheus || !promtool || !amtool) return null;
  for (const name of ALERTMANAGER_NAMES) {
    const alertmanager = await versionOf(path.join(folder, name));
    if (!alertmanager) continue;
    return {
      prometheus: prometheus.program,
      promtool: promtool.program,
      alertmanager: alertmanager.program,
      amtool: amtool.program,
      home,
      versions: { prometheus: prometheus.version, alertmanager: alertmanager.version },
    };
  }
  return null;
}

async function versionOf(program: string): Promise<{ program: string; version: string } | null> {
  // Some print it as a message.
  const said = await run(program, ['--version']).then(
    ({ stdout, stderr }) => stdout + stderr,
    () => '',
  );
  const version = /version (\d+\.\d+\.\d+)/.exec(said)?.[1];
  return version === undefined ? null : { program, version };
}

async function makeRelocatable(alertmanager: string): Promise<void> {
  const program = await readFile(alertmanager);
  for (let at = program.indexOf(DEBIAN_SHARE); at !== -1; at = program.indexOf(DEBIAN_SHARE, at + 1))
    program.write(UNPACKED_SHARE, at, 'latin1');
  await writeFile(alertmanager, program);
}

/**
 * Finds a Chromium for tests of pages: an installed one, else Debian's package with the libraries that this system lacks, unpacked
 * into a cache folder together with fonts. Nothing is installed and no root is needed. Null, with the reason in the log, where that
 * is impossible. Start it without its sandbox: an unpacked helper has no privileges to build one with.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { canFetchPackages, libraryDirsOf, libraryVariable, unpackPackages } from './debian-packages.ts';

const run = promisify(execFile);

const BROWSER_PACKAGE = 'chromium';
/** A page without a font has no text, one without an emoji font has boxes, and the first choice of our pages is Inter. */
const FONT_PACKAGES = ['fonts-dejavu-core', 'fonts-inter', 'fonts-noto-color-emoji'];
const INSTALLED_NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

export type ChromiumInstallation = {
  executable: string;
  version: string;
  /** What it has to be started with, besides the environment that there is. */
  env: Record<string, string>;
};

type Options = { cacheDir: string; log?: (line: string) => void };

/** The installed browser, the cached one, or a freshly fetched one. */
export async function locateChromium({
  cacheDir,
  log = () => undefined,
}: Options): Promise<ChromiumInstallation | null> {
  for (const name of INSTALLED_NAMES) {
    const installed = await inspect(name, {});
    if (installed !== null) return installed;
  }
  const unpacked = path.resolve(cacheDir, `${process.platform}-${process.arch}`);
  const cached = await inspectUnpacked(unpacked);
  if (cached !== null) return cached;
  if (!(await canFetchPackages())) {
    log('there is none on PATH, and this system has no apt-get and dpkg to fetch one');
    return null;
  }
  try {
    log(`fetching ${BROWSER_PACKAGE} into the cache (once, about 130 MB)`);
    await unpackPackages({
      into: unpacked,
      packages: [BROWSER_PACKAGE],
      withDependencies: 'missing',
      extras: FONT_PACKAGES,
    });
  } catch (error) {
    log(`${BROWSER_PACKAGE} could not be fetched: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
  const fetched = await inspectUnpacked(unpacked);
  if (fetched === null) log(`the browser unpacked in ${unpacked} does not run here`);
  return fetched;
}

async function inspectUnpacked(root: string): Promise<ChromiumInstallation | null> {
  // Some packages keep private libraries in a folder below the common one.
  const shared = await libraryDirsOf(root);
  const below = await Promise.all(
    shared.map(async (folder) =>
      (await readdir(folder, { withFileTypes: true })).flatMap((entry) =>
        entry.isDirectory() ? [path.join(folder, entry.name)] : [],
      ),
    ),
  );
  const found = await inspect(path.join(root, 'usr/lib/chromium/chromium'), libraryEnv([...shared, ...below.flat()]));
  return found === null ? null : { ...found, env: { ...found.env, FONTCONFIG_FILE: await writeFontsFile(root) } };
}

function libraryEnv(libraryDirs: string[]): Record<string, string> {
  const [variable] = libraryVariable(libraryDirs);
  const [name, value] = variable?.split(/=(.*)/s) ?? [];
  return name === undefined || value === undefined ? {} : { [name]: value };
}

async function inspect(executable: string, env: Record<string, string>): Promise<ChromiumInstallation | null> {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const version = await run('env', [...variables, executable, '--version']).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return /^(?:Chromium|Google Chrome) \d+/.test(version) ? { executable, version, env } : null;
}

/** The system's fonts and the unpacked ones. Written anew each time: the folder may have moved. */
async function writeFontsFile(root: string): Promise<string> {
  const file = path.join(root, 'fonts.conf');
  const cache = path.join(root, 'font-cache');
  await mkdir(cache, { recursive: true });
  await writeFile(
    file,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${escapeXml(path.join(root, 'usr/share/fonts'))}</dir>
  <cachedir>${escapeXml(cache)}</cachedir>
</fontconfig>
`,
  );
  return file;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/**
 * Styles, scripts and pictures of the pages, read once at start from apps/console and the drawn art, and kept in memory,
 * compressed. Scripts are
 * TypeScript modules: Node takes the types out, and an import of another module becomes its versioned URL. Every URL carries the
 * hash of the content (of a script: with everything that it imports), so that browsers may keep it for good.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const consoleFolder = path.join(import.meta.dirname, '../../console');
export const assetsPath = '/stickers/assets/';

const contentTypes: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  webp: 'image/webp',
  avif: 'image/avif',
  webmanifest: 'application/manifest+json',
};
const compressible = new Set(['css', 'js', 'svg', 'webmanifest']);
const hashLength = 16;

export type WebAsset = {
  contentType: string;
  /** First digits of the SHA-256. */
  hash: string;
  version: string;
  identity: Buffer;
  br: Buffer | null;
  gzip: Buffer | null;
};

export type WebAssets = {
  find: (name: string) => WebAsset | undefined;
  /** URL path of an asset, with its version. @throws Error when there is no such asset */
  url: (name: string) => string;
};

type Options = {
  assetVersion: string | undefined;
  /** With the pictures that are drawn from apps/console/art. */
  artFolder: string;
};

/** @throws Error when a file cannot be read, or a script imports one that is not there */
export async function loadWebAssets({ assetVersion, artFolder }: Options): Promise<WebAssets> {
  const assets = new Map<string, WebAsset>();
  const versionOf = (hash: string): string => (assetVersion === undefined ? hash : `${assetVersion}-${hash}`);
  const urlOf = (name: string, asset: WebAsset): string => `${assetsPath}${name}?v=${asset.version}`;
  const add = async (name: string, bytes: Buffer): Promise<WebAsset> => {
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, hashLength);
    const extension = path.extname(name).slice(1);
    const packed = compressible.has(extension) ? await compress(bytes) : { br: null, gzip: null };
    const contentType = contentTypes[extension] ?? 'application/octet-stream';
    const asset = { contentType, hash, version: versionOf(hash), identity: bytes, ...packed };
    assets.set(name, asset);
    return asset;
  };

  for (const folder of [path.join(consoleFolder, 'styles'), path.join(consoleFolder, 'art'), artFolder])
    for (const name of await readdir(folder))
      if (path.extname(name).slice(1) in contentTypes) await add(name, await readFile(path.join(folder, name)));

  const scripts = new Map<string, Promise<WebAsset>>();
  const script = (name: string): Promise<WebAsset> => {
    const known = scripts.get(name) ?? addScript(name);
    scripts.set(name, known);
    return known;
  };
  /** What it imports comes first: its hash is part of the text. */
  const addScript = async (name: string): Promise<WebAsset> => {
    const source = await readFile(path.join(consoleFolder, 'scripts', `${name}.ts`), 'utf8');
    let text = stripTypeScriptTypes(source);
    for (const imported of new Set(Array.from(text.matchAll(localImport), ([, , file = '']) => file)))
      text = text.replaceAll(`'./${imported}.ts'`, `'${urlOf(`${imported}.js`, await script(imported))}'`);
    return add(`${name}.js`, Buffer.from(text));
  };
  for (const name of await readdir(path.join(consoleFolder, 'scripts')))
    if (name.endsWith('.ts')) await script(name.slice(0, -'.ts'.length));

  return {
    find: (name) => assets.get(name),
    url(name) {
      const asset = assets.get(name);
      if (!asset) throw new Error(`There is no asset "${name}" in apps/console`);
      return urlOf(name, asset);
    },
  };
}

/** As our formatter writes it: `from './name.ts'` or `import './name.ts'`. */
const localImport = /\b(from|import) '\.\/([\w-]+)\.ts'/g;

async function compress(bytes: Buffer): Promise<{ br: Buffer; gzip: Buffer }> {
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  return { br: await promisify(brotliCompress)(bytes, brotli), gzip: await promisify(gzip)(bytes, { level: 9 }) };
}

import { beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Script } from 'node:vm';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { drawnArt } from './drawn-art.ts';
import { loadWebAssets, type WebAssets } from './web-assets.ts';

const scripts = path.resolve(import.meta.dirname, '../../console/scripts');
const textOf = (assets: WebAssets, name: string): string => assets.find(name)?.identity.toString('utf8') ?? '';

describe('loadWebAssets', () => {
  let assets: WebAssets;
  let artFolder: string;
  beforeAll(async () => {
    artFolder = await drawnArt([path.resolve(import.meta.dirname, '../../../.cache/art')]);
    assets = await loadWebAssets({ assetVersion: undefined, artFolder });
  });

  it('makes of each TypeScript module a script of its own, which names what it imports by its version', async () => {
    const modules = (await readdir(scripts)).filter((name) => name.endsWith('.ts'));
    expect(modules.length).toBeGreaterThan(1);
    for (const module of modules) {
      const source = await readFile(path.join(scripts, module), 'utf8');
      const text = textOf(assets, module.replace(/ts$/, 'js'));
      const imported = [...source.matchAll(/^import (?!type ).*'\.\/(.*)\.ts';$/gm)].map(([, name]) => `${name}.js`);
      const named = [...text.matchAll(/'\/stickers\/assets\/([\w.-]+)\?v=(\w+)'/g)];

      expect(named.map(([, name]) => name)).toEqual(imported);
      for (const [, name = '', version] of named)
        expect(createHash('sha256').update(textOf(assets, name)).digest('hex').slice(0, 16)).toBe(version);
      // A type that stayed would be a syntax error in every browser.
      expect(() => new Script(text.replaceAll(/^(?:import .*|export )/gm, ''))).not.toThrow();
    }
  });

  it('holds the same text in each encoding, and pictures only as they are', () => {
    const style = assets.find('shell.css');
    expect(brotliDecompressSync(style?.br ?? Buffer.alloc(0))).toEqual(style?.identity);
    expect(gunzipSync(style?.gzip ?? Buffer.alloc(0))).toEqual(style?.identity);
    expect(assets.find('hero-720.avif')).toMatchObject({ contentType: 'image/avif', br: null, gzip: null });
  });

  it('puts the version of an operator before each hash', async () => {
    const versioned = await loadWebAssets({ assetVersion: 'r42', artFolder });

    expect(versioned.url('shell.css')).toBe(assets.url('shell.css').replace('?v=', '?v=r42-'));
    expect(() => versioned.url('none.css')).toThrow(/no asset "none.css"/);
  });
});

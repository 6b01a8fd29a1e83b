/** Answers with one of the pages' own styles, scripts and pictures. */
import type { Request, Response } from 'express';
import Negotiator from 'negotiator';
import { AppError, type Config } from '@omnizap/runtime';
import { matchesEtag } from '../entity-tags.ts';
import type { WebAssets } from './web-assets.ts';

type CacheSettings = Pick<
  Config,
  'STICKER_WEB_STATIC_TEXT_CACHE_SECONDS' | 'STICKER_WEB_IMMUTABLE_ASSET_CACHE_SECONDS'
>;

/** @throws AppError `not-found` */
export function sendAsset(request: Request, response: Response, assets: WebAssets, config: CacheSettings): void {
  const name = String(request.params.name);
  const asset = assets.find(name);
  if (!asset) throw new AppError('not-found', `There is nothing at ${request.path.slice(0, 200)}.`);
  const accepted = asset.br === null ? 'identity' : new Negotiator(request).encoding(['br', 'gzip', 'identity']);
  const encoding = accepted === 'br' || accepted === 'gzip' ? accepted : 'identity';
  const etag = encoding === 'identity' ? `"${asset.hash}"` : `"${asset.hash}-${encoding}"`;
  response.set({
    ETag: etag,
    'Cache-Control': cacheControl(config, request.query.v === asset.version),
    ...(asset.br === null ? {} : { Vary: 'Accept-Encoding' }),
  });
  if (matchesEtag(request.get('if-none-match'), etag)) {
    response.status(304).end();
    return;
  }
  const bytes = asset[encoding] ?? asset.identity;
  if (encoding !== 'identity') response.set('Content-Encoding', encoding);
  response.set({ 'Content-Type': asset.contentType, 'Content-Length': String(bytes.length) });
  if (request.method === 'HEAD') response.end();
  else response.end(bytes);
}

/** As the contract says. While releases are rolled out, a version may be asked of the one that does not have it: not for good, then. */
function cacheControl(config: CacheSettings, isVersion: boolean): string {
  if (isVersion) return `public, max-age=${config.STICKER_WEB_IMMUTABLE_ASSET_CACHE_SECONDS}, immutable`;
  const maxAge = config.STICKER_WEB_STATIC_TEXT_CACHE_SECONDS;
  return `public, max-age=${maxAge}, stale-while-revalidate=${Math.min(86_400, 4 * maxAge)}`;
}

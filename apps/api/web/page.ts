/**
 * One page of the web: its path, the parameters that it understands, and what it shows. `createPageRoutes` makes Express routes,
 * 405 answers, ETags and error pages of these.
 */
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { LimitClass } from '../limit-classes.ts';
import type { RouteGroup } from '../route-groups.ts';
import type { Language } from './languages.ts';
import type { Translate } from './translate.ts';
import type { WebAssets } from './web-assets.ts';

/** What every page, error pages included, is drawn with. */
export type PageContext = {
  language: Language;
  /** Asked for by `?lang=`: links then keep it. */
  isLanguageChosen: boolean;
  t: Translate;
  assets: WebAssets;
  /** `https://host`, as the visitor sees it. */
  origin: string;
  /** Path of the page asked for, with the parameters that choose its content (`lang` apart). */
  path: string;
};

export type PageCall<Q extends z.ZodObject = z.ZodObject> = {
  request: Request;
  response: Response;
  params: Record<string, string>;
  query: z.output<Q>;
  context: PageContext;
};

export type PageAnswer =
  /** The same for everybody of one language: kept rendered while `stamp` is unchanged, answered with an ETag. */
  | { kind: 'shared'; key: string; stamp: string; contentType?: string; build: () => Promise<string> }
  /** For this visitor alone: never kept by anybody. */
  | { kind: 'own'; document: string; headers?: Record<string, string> }
  | { kind: 'redirect'; location: string };

export type PageSpec<Q extends z.ZodObject> = {
  /** `post`: a form, taken from our own pages only. */
  method: 'get' | 'post';
  /** Express style: `/stickers/:packKey`. */
  path: string;
  routeGroup: RouteGroup;
  /** Parameters besides `lang`. Unknown ones are ignored: links that travel through messengers collect them. */
  query: Q;
  /** The parameters that choose the content and are not as they would be anyway: those of the canonical URL. */
  canonical?: (query: z.output<Q>) => URLSearchParams;
  cacheControl?: string;
  /** Which of the requests of the visitor's network it counts with; with none when absent. Undefined: an answer that caches give. */
  limit?: (query: z.output<Q>) => LimitClass | undefined;
  handle: (call: PageCall<Q>) => Promise<PageAnswer>;
};

export type Page = PageSpec<z.ZodObject>;

/** Keeps the handler's types tied to its schema. */
export function page<const Q extends z.ZodObject>(spec: PageSpec<Q>): Page {
  return spec as unknown as Page;
}

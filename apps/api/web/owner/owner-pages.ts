/**
 * `/user`: an owner signs in with their key and works on their packs. What changes packs is the API itself, called by the page's
 * script; only signing in and out are forms, so that they work without one. Nothing here is kept by anybody.
 */
import { z } from 'zod';
import { isFromSession } from '@omnizap/catalog';
import { AppError } from '@omnizap/runtime';
import { packKeyOf } from '../../operations/pack-path.ts';
import { packJson, stickerJson } from '../../pack-json.ts';
import { clearSessionCookie, sessionTokenOf, setSessionCookie } from '../../session-cookie.ts';
import { page, type Page, type PageAnswer } from '../page.ts';
import { linkTo } from '../page-shell.ts';
import { readForm } from '../own-form.ts';
import type { WebDeps } from '../web-deps.ts';
import { identityOf, readSession } from './owner-session.ts';
import { ownedPackDocument } from './owned-pack-view.ts';
import { ownedPacksDocument } from './owned-packs-view.ts';
import { signInDocument } from './sign-in-view.ts';

const packsPerPage = 24;
const asOwner = { routeGroup: 'catalog_user_profile', query: z.object({}) } as const;
const signInForm = z.object({ key: z.string().max(512) });
const signOutForm = z.object({ csrf_token: z.string().max(128).optional() });

export function ownerPages(deps: WebDeps): Page[] {
  const { ownerReader, ownerSessions, reader } = deps;

  const packs = page({
    ...asOwner,
    method: 'get',
    path: '/user',
    query: z.object({ cursor: z.string().min(1).max(200).optional() }),
    async handle({ request, response, query, context }) {
      const session = await readSession(deps, request, response);
      if (!session) return own(signInDocument(context, { isRefused: false }));
      const owned = await ownerReader.packs(identityOf(session), packsPerPage, query.cursor);
      const shown = await Promise.all(owned.entries.map((view) => reader.withSignals(view)));
      return own(
        ownedPacksDocument(context, session, {
          packs: shown.map((view) => packJson(view, { countAll: true })),
          nextCursor: owned.nextCursor,
        }),
      );
    },
  });

  const pack = page({
    ...asOwner,
    method: 'get',
    path: '/user/packs/:packKey',
    async handle({ request, response, params, context }) {
      const session = await readSession(deps, request, response);
      if (!session) return { kind: 'redirect', location: linkTo(context, '/user') };
      const packKey = packKeyOf(params);
      const { view, stickers, isOwn } = await reader.readPack(packKey, identityOf(session));
      if (!isOwn) throw new AppError('pack-not-found', `There is no pack "${packKey}" of yours.`);
      return own(
        ownedPackDocument(context, session, {
          pack: packJson(view, { countAll: true }),
          stickers: stickers.map((sticker) => stickerJson(packKey, sticker, { isOwn: true })),
        }),
      );
    },
  });

  const signIn = page({
    ...asOwner,
    method: 'post',
    path: '/user/sign-in',
    limit: () => 'sign-in',
    async handle({ request, response, context }) {
      const { key } = await readForm(request, response, signInForm);
      const token = await ownerSessions.begin(key.trim());
      if (token === null) {
        response.status(422);
        return own(signInDocument({ ...context, path: '/user' }, { isRefused: true }));
      }
      const before = sessionTokenOf(request);
      if (before !== undefined) await ownerSessions.end(before);
      setSessionCookie(request, response, token);
      return { kind: 'redirect', location: linkTo(context, '/user') };
    },
  });

  const signOut = page({
    ...asOwner,
    method: 'post',
    path: '/user/sign-out',
    async handle({ request, response, context }) {
      const { csrf_token: csrfToken } = await readForm(request, response, signOutForm);
      const token = sessionTokenOf(request);
      const session = token === undefined ? null : await ownerSessions.find(token);
      if (token !== undefined && session) {
        if (!isFromSession(session, csrfToken)) throw new AppError('forbidden', 'Sign out on the page /user itself.');
        await ownerSessions.end(token);
      }
      clearSessionCookie(request, response);
      return { kind: 'redirect', location: linkTo(context, '/user') };
    },
  });

  return [packs, pack, signIn, signOut];
}

/** A form's POST names its origin only where the page lets it be known: our own pages may know. */
function own(document: string): PageAnswer {
  return { kind: 'own', document, headers: { 'Referrer-Policy': 'same-origin', Vary: 'Accept-Language, Cookie' } };
}

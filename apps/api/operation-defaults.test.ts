import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { isForOtherSites, isLimited, limitOf, mediaTypesOf } from './operation-defaults.ts';
import { operation, type Operation } from './operation.ts';

const like = (part: Partial<Operation>): Operation =>
  operation({
    method: 'get',
    path: '/api/things',
    id: 'things',
    summary: 'Things.',
    routeGroup: 'other',
    access: 'public',
    responses: { 200: { description: 'Things.', schema: z.object({}) }, 304: { description: 'Unchanged.' } },
    handle: () => Promise.resolve({ status: 200 }),
    ...part,
  });
const form = { contentType: 'multipart/form-data', schema: z.object({}) };

describe('an operation that says nothing of it', () => {
  it.each<[string, Partial<Operation>, boolean, string]>([
    ['a public read', {}, false, 'none'],
    ['a read that a key may see more of, without one', { access: 'optional' }, false, 'none'],
    ['the same with a key', { access: 'optional' }, true, 'read'],
    ['an owner’s read', { access: 'catalog:write' }, true, 'read'],
    ['an owner’s change', { access: 'catalog:write', method: 'patch' }, true, 'write'],
    ['an upload', { access: 'catalog:write', method: 'post', rawBody: form }, true, 'upload'],
    ['what anybody may post', { method: 'post' }, false, 'count'],
    ['an administrator’s read', { access: 'admin' }, true, 'admin'],
    ['an administrator’s change', { access: 'admin', method: 'delete' }, true, 'admin'],
    ['a public read that computes, and says so', { limit: 'read' }, false, 'read'],
  ])('is limited as its method and access say: %s', (_title, part, isKeyed, limit) => {
    expect(limitOf(like(part), isKeyed)).toBe(limit);
  });

  it('is limited by a parameter that makes it compute, and only with it', () => {
    const search = like({ limitedBy: ['q'] });

    expect([limitOf(search, false, { q: 'cat' }), limitOf(search, false, { sort: 'recent' })]).toEqual([
      'read',
      'none',
    ]);
    expect([isLimited(search), isLimited(like({}))]).toEqual([true, false]);
  });

  it('is for pages of other sites exactly when it needs no key', () => {
    const those = (['public', 'optional', 'catalog:write', 'admin', 'metrics'] as const).filter((access) =>
      isForOtherSites(like({ access, method: 'post' })),
    );
    expect(those).toEqual(['public', 'optional']);
  });

  it('produces the media types of its good answers', () => {
    const bytes = { description: 'Bytes.', schema: z.string(), contentType: 'image/webp' };
    expect(mediaTypesOf(like({}))).toEqual(['application/json']);
    expect(mediaTypesOf(like({ responses: { 200: bytes, 206: { description: 'A range.' } } }))).toEqual(['image/webp']);
    expect(mediaTypesOf(like({ responses: { 204: { description: 'Gone.' } } }))).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { isForOtherSites, mediaTypesOf } from './operation-defaults.ts';
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

describe('an operation that says nothing of it', () => {
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

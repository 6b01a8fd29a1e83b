import { describe, expect, it } from '@jest/globals';

import { findDeadLinks } from './markdown-links.ts';

const files = new Set(['README.md', 'runbooks/contract.md', 'runbooks/alerts/QueueStuck.md', 'docs/a b.png']);
const deadLinksOf = (path: string, text: string) => findDeadLinks({ path, text }, files);

describe('findDeadLinks', () => {
  it('follows links from the folder of the page', () => {
    expect(deadLinksOf('README.md', '[c](runbooks/contract.md) [s](runbooks/contract.md#4-http-api)')).toEqual([]);
    expect(deadLinksOf('runbooks/alerts/QueueStuck.md', '[c](../contract.md) [home](../../README.md)')).toEqual([]);
    expect(deadLinksOf('runbooks/alerts/QueueStuck.md', '[c](contract.md)')).toEqual([
      'runbooks/alerts/QueueStuck.md: dead link contract.md',
    ]);
  });

  it('accepts folders, escaped spaces and titles', () => {
    expect(deadLinksOf('README.md', '[r](runbooks/) [a](./runbooks/alerts) ![p](docs/a%20b.png "A picture")')).toEqual(
      [],
    );
  });

  it('leaves the web, anchors, routes and code alone', () => {
    const text = '[a](https://example.org/x) [b](#part) [c](/stickers) `[d](gone.md)`\n```\n[e](gone.md)\n```\n';
    expect(deadLinksOf('README.md', text)).toEqual([]);
  });
});

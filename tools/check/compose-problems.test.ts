import { describe, expect, it } from '@jest/globals';

import { findComposeProblems } from './compose-problems.ts';

const service = {
  image: 'postgres:17',
  ports: ['127.0.0.1:${POSTGRES_PORT:-5432}:5432'],
  environment: { POSTGRES_PASSWORD: '${POSTGRES_PASSWORD:-development-only}' },
  volumes: ['data:/var/lib/postgresql/data'],
  healthcheck: { test: ['CMD-SHELL', 'pg_isready'] },
};
const problemsWith = (change: Record<string, unknown>, volumes: Record<string, unknown> = { data: null }) =>
  findComposeProblems({ services: { postgres: { ...service, ...change } }, volumes });

describe('findComposeProblems', () => {
  it('has nothing to say about a pinned, local, observed and kept service', () => {
    expect(problemsWith({})).toEqual([]);
  });

  it.each([
    ['an image without a version', { image: 'postgres' }, 'no version'],
    ['an image that moves', { image: 'registry:5000/postgres:latest' }, 'no version'],
    ['a port that the network reaches', { ports: ['5432:5432'] }, 'open to the network'],
    ['a port on every address', { ports: ['0.0.0.0:5432:5432'] }, 'open to the network'],
    ['a password in the file', { environment: { POSTGRES_PASSWORD: 'hunter2' } }, 'must come from the environment'],
    ['a service nobody watches', { healthcheck: undefined }, 'no healthcheck'],
    ['a volume that is not declared', { volumes: ['data:/a', 'other:/b'] }, 'other is not declared'],
  ])('finds %s', (_, change, problem) => {
    expect(problemsWith(change)).toEqual([expect.stringContaining(problem)]);
  });

  it('finds a volume that nobody uses', () => {
    expect(problemsWith({}, { data: null, old: null })).toEqual(['volumes: old is declared but not used']);
  });

  it('says where a file is not a compose file', () => {
    expect(findComposeProblems({ services: { postgres: {} } })).toEqual([
      expect.stringMatching(/^services\.postgres\.image:/),
    ]);
    expect(findComposeProblems('text')).toHaveLength(1);
  });
});

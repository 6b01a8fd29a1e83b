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
    ['a password by another name', { environment: { DATA_SOURCE_PASS: 'hunter2' } }, 'must come from the environment'],
    [
      'a password that nobody has to set',
      { environment: { DATA_SOURCE_PASS: '${EXPORTER_PASSWORD:-}' }, entrypoint: ['/bin/sh', '-c', 'exec exporter'] },
      'does not refuse',
    ],
    ['a password among arguments', { command: ['--password=${POSTGRES_PASSWORD}'] }, 'as an argument'],
    ['a token among arguments', { command: '--header=${METRICS_TOKEN:-development-only}' }, 'as an argument'],
    ['a secret in the words that start it', { entrypoint: ['run', '$API_SECRET'] }, 'as an argument'],
    ["the host's network", { network_mode: 'host', ports: [] }, 'without being told to listen on 127.0.0.1'],
    ['a service of a profile that may eat the host', { profiles: ['observability'] }, 'no mem_limit'],
    ['a service that may do anything', { privileged: true }, 'privileged'],
    ['a folder of ours that a service may change', { volumes: ['data:/a', './observability:/etc/b'] }, 'read-only'],
    ['such a folder by default', { volumes: ['data:/a', '${FOLDER:-./observability}:/etc/b'] }, 'read-only'],
    ["the host's own folders, by default", { volumes: ['data:/a', '${FOLDER:-/var}:/b:ro'] }, 'outside of the project'],
    ['a folder that anybody names', { volumes: ['data:/a', '${FOLDER}:/b:ro'] }, 'outside of the project'],
    ["the host's own folders", { volumes: ['data:/a', '/var/run/docker.sock:/b:ro'] }, 'outside of the project'],
    ['a volume that is not declared', { volumes: ['data:/a', 'other:/b'] }, 'other is not declared'],
  ])('finds %s', (_, change, problem) => {
    expect(problemsWith(change)).toEqual([expect.stringContaining(problem)]);
  });

  it('lets a service listen on the loopback of the host, and hand its own shell a secret', () => {
    const command = ['--web.listen-address=127.0.0.1:9090'];
    const entrypoint = ['/bin/sh', '-c', 'printf %s "$$METRICS_TOKEN" > /run/token'];
    expect(problemsWith({ network_mode: 'host', ports: [], command, entrypoint })).toEqual([]);
    expect(problemsWith({ network_mode: 'host', environment: { GF_SERVER_HTTP_ADDR: '127.0.0.1' } })).toEqual([]);
  });

  it('lets a service have no password that everybody knows, if it refuses to go on without', () => {
    const entrypoint = ['/bin/sh', '-c', 'test -n "$$DATA_SOURCE_PASS" || exit 1; exec exporter "$$@"', 'exporter'];
    expect(problemsWith({ environment: { DATA_SOURCE_PASS: '${EXPORTER_PASSWORD:-}' }, entrypoint })).toEqual([]);
  });

  it('lets people name a file in place of one of ours', () => {
    expect(problemsWith({ volumes: ['data:/a', '${FILE:-./observability/a.yml}:/etc/a.yml:ro'] })).toEqual([]);
  });

  it('finds a network that was not thought about', () => {
    expect(problemsWith({ network_mode: 'service:other', command: ['127.0.0.1'] })).toEqual([
      expect.stringContaining('not one that was thought about'),
    ]);
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

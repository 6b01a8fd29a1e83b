/** What machines ask: the API's own description, and where metrics are to be scraped. */
import type { Request } from 'express';
import { z } from 'zod';
import { AppError, bearerToken, isFromLoopback, matchesToken } from '@omnizap/runtime';
import type { ApiDeps } from '../api-deps.ts';
import { operation, type Operation } from '../operation.ts';
import { targetsSchema } from '../schemas.ts';

export function opsOperations(deps: ApiDeps, openApiDocument: () => object): Operation[] {
  const openapi = operation({
    method: 'get',
    path: '/openapi.json',
    id: 'getOpenApi',
    summary: 'This document.',
    routeGroup: 'other',
    access: 'public',
    query: z.strictObject({}),
    responses: {
      200: { description: 'OpenAPI 3.1', schema: z.looseObject({}) },
      304: { description: 'Unchanged.' },
    },
    example: { status: 200 },
    handle: () =>
      Promise.resolve({ status: 200, body: openApiDocument(), headers: { 'Cache-Control': 'public, max-age=60' } }),
  });

  const targets = operation({
    method: 'get',
    path: '/api/ops/targets',
    id: 'listTargets',
    summary: 'Live processes in the format of Prometheus http_sd. From the loopback, or with scope metrics.',
    routeGroup: 'other',
    access: 'public',
    query: z.strictObject({}),
    // The loopback is trusted here, and a page in a browser on this host comes from it.
    isForOtherSites: false,
    responses: { 200: { description: 'Targets.', schema: targetsSchema } },
    problems: ['unauthorized'],
    example: { status: 200 },
    async handle({ request }) {
      if (!(await mayListTargets(deps, request))) {
        throw new AppError(
          'unauthorized',
          'The targets are for the loopback, for METRICS_TOKEN, or for a key with scope metrics.',
        );
      }
      const processes = await deps.membership.processes();
      const list = processes.map(({ processName, status }) => ({
        targets: [new URL(String(status.url)).host],
        labels: { process: processName, release: String(status.release), version: String(status.version) },
      }));
      return { status: 200, body: list, headers: { 'Cache-Control': 'no-store' } };
    },
  });

  return [openapi, targets];
}

async function mayListTargets({ apiKeys, config }: ApiDeps, request: Request): Promise<boolean> {
  if (config.METRICS_TOKEN === undefined && isFromLoopback(request)) return true;
  const { authorization } = request.headers;
  if (config.METRICS_TOKEN !== undefined && matchesToken(authorization, config.METRICS_TOKEN)) return true;
  if (config.ADMIN_TOKEN !== undefined && matchesToken(authorization, config.ADMIN_TOKEN)) return true;
  const holder = await apiKeys.authenticate(bearerToken(authorization) ?? '');
  return holder !== null && (holder.scopes.includes('metrics') || holder.scopes.includes('admin'));
}

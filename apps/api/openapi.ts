/** The OpenAPI 3.1 document, generated from the schemas that validate. */
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { productVersion } from '@omnizap/runtime';
import type { Operation } from './operation.ts';
import { problemSchema } from './schemas.ts';

export function createOpenApiDocument(operations: Operation[]): object {
  const registry = new OpenAPIRegistry();
  const bearer = registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'API key of an owner or an administrator.',
  });
  for (const operation of operations) registry.registerPath(routeOf(operation, bearer.name));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'OmniZap Stickers',
      version: productVersion,
      description: 'Sticker catalogue for chat bots and the web.',
    },
    servers: [{ url: '/' }],
  });
}

function routeOf(operation: Operation, securityName: string): RouteConfig {
  const { params, query, body, rawBody } = operation;
  const content = body
    ? { 'application/json': { schema: body } }
    : rawBody
      ? { [rawBody.contentType]: { schema: rawBody.schema } }
      : undefined;
  const security =
    operation.access === 'public'
      ? {}
      : {
          security: [
            { [securityName]: operation.access === 'optional' ? [] : [operation.access] },
            ...(operation.access === 'optional' ? [{}] : []),
          ],
        };
  return {
    method: operation.method,
    path: operation.path,
    operationId: operation.id,
    summary: operation.summary,
    ...security,
    request: {
      ...(params
        ? {
            params: z.object(
              Object.fromEntries(
                Object.entries(params).map(([name, description]) => [name, z.string().describe(description)]),
              ),
            ),
          }
        : {}),
      ...(query ? { query } : {}),
      ...(content ? { body: { required: true, content } } : {}),
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.responses).map(([status, response]) => [
          status,
          {
            description: response.description,
            ...(response.schema
              ? { content: { [response.contentType ?? 'application/json']: { schema: response.schema } } }
              : {}),
          },
        ]),
      ),
      default: { description: 'Any error.', content: { 'application/problem+json': { schema: problemSchema } } },
    },
  };
}

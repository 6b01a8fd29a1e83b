/**
 * The OpenAPI 3.1 document, generated from the schemas that validate. Problems, headers and security follow from the shape of an
 * operation, so that one which is added says only what is its own.
 */
import {
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type ResponseConfig,
  type RouteConfig,
} from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { errorRegistry, productVersion, type ErrorCode } from '@omnizap/runtime';
import { fillExample, sampleOf } from './example-fixtures.ts';
import { requestHeaders, responseHeaders, type RequestHeader, type ResponseHeader } from './http-headers.ts';
import { isLimited, takesIdempotencyKey } from './operation-defaults.ts';
import type { Operation, OperationExample, ResponseDoc } from './operation.ts';
import { problemsOf } from './operation-problems.ts';
import { pathParameterSchema } from './path-parameters.ts';
import { problemSchema } from './schemas.ts';

const tags = {
  public: 'What anybody may ask.',
  owner: 'What owners do with their packs; scope catalog:write.',
  admin: 'What administrators do; scope admin.',
  ops: 'What machines ask: descriptions and targets.',
} as const;

type Response = Required<RouteConfig>['responses'][string];

export function createOpenApiDocument(operations: Operation[]): object {
  const registry = new OpenAPIRegistry();
  const bearer = registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'API key of an owner or an administrator.',
  });
  for (const [name, header] of Object.entries(responseHeaders))
    registry.registerComponent('headers', componentName(name), header);
  for (const [name, header] of Object.entries(requestHeaders))
    registry.registerComponent('parameters', componentName(name), { name, in: 'header', ...header });
  for (const operation of operations) registry.registerPath(routeOf(operation, bearer.name));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'OmniZap Stickers',
      version: productVersion,
      description:
        'Sticker catalogue for chat bots and the web. Every answer carries X-Request-Id; a client may choose it. ' +
        'Every refusal is a problem document (RFC 9457) whose code is explained at /docs/errors.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
  });
}

function routeOf(operation: Operation, securityName: string): RouteConfig {
  const { params, query, example } = operation;
  const content = bodyOf(operation);
  const headers = requestHeadersOf(operation).map((name) => ({
    $ref: `#/components/parameters/${componentName(name)}`,
  }));
  return {
    method: operation.method,
    path: operation.path,
    operationId: operation.id,
    summary: operation.summary,
    tags: [tagOf(operation)],
    ...securityOf(operation, securityName),
    ...(headers.length > 0 ? { parameters: headers } : {}),
    request: {
      ...(params ? { params: paramsOf(params, example) } : {}),
      ...(query ? { query } : {}),
      ...(content ? { body: { required: true, content } } : {}),
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.responses).map(([status, response]) => [
          status,
          answerOf(operation, Number(status), response),
        ]),
      ),
      ...Object.fromEntries([...problemsOf(operation)].map(([status, codes]) => [status, problemOf(status, codes)])),
      default: { description: 'Any other error.', content: problemContent },
    },
    ...(example ? { 'x-example': example } : {}),
  };
}

/** The part of the documentation that the operation stands in. */
function tagOf({ path, access }: Operation): keyof typeof tags {
  if (path.startsWith('/api/admin/') || access === 'admin') return 'admin';
  if (path.startsWith('/api/ops/') || path === '/openapi.json') return 'ops';
  return access === 'public' || access === 'optional' ? 'public' : 'owner';
}

function securityOf({ access }: Operation, name: string): Pick<RouteConfig, 'security'> {
  if (access === 'public') return {};
  return access === 'optional' ? { security: [{ [name]: [] }, {}] } : { security: [{ [name]: [access] }] };
}

function paramsOf(params: Required<Operation>['params'], example: OperationExample | undefined): z.ZodObject {
  return z.object(
    Object.fromEntries(
      Object.entries(params).map(([name, given]) => {
        const sample = fillExample(example?.params?.[name], sampleOf);
        const schema = typeof given === 'string' ? pathParameterSchema(name).describe(given) : given;
        return [name, sample === undefined ? schema : schema.meta({ param: { example: String(sample) } })];
      }),
    ),
  );
}

function bodyOf({ body, rawBody, example }: Operation) {
  if (body) {
    const sample = fillExample(example?.body, sampleOf);
    return { 'application/json': { schema: body, ...(sample === undefined ? {} : { example: sample }) } };
  }
  return rawBody ? { [rawBody.contentType]: { schema: rawBody.schema } } : undefined;
}

function requestHeadersOf(operation: Operation): RequestHeader[] {
  const { headers = [], responses } = operation;
  const all = new Set<RequestHeader>([
    ...(304 in responses ? (['If-None-Match'] as const) : []),
    ...(206 in responses ? (['Range', 'If-Match'] as const) : []),
    ...(takesIdempotencyKey(operation) ? (['Idempotency-Key'] as const) : []),
    ...headers,
  ]);
  return [...all].toSorted();
}

function answerOf(operation: Operation, status: number, response: ResponseDoc): Response {
  const { access, responses } = operation;
  const isCached = 304 in responses && [200, 206, 304].includes(status);
  const names: ResponseHeader[] = [
    'X-Request-Id',
    ...(isCached ? (['ETag'] as const) : []),
    ...(isCached || access !== 'public' ? (['Cache-Control'] as const) : []),
    ...(status === 206 ? (['Content-Range'] as const) : []),
    ...(206 in responses && (status === 200 || status === 206) ? (['Accept-Ranges'] as const) : []),
    ...(isLimited(operation) ? (['RateLimit', 'RateLimit-Policy'] as const) : []),
    ...(response.headers ?? []),
  ];
  return {
    description: response.description,
    headers: headerRefs(names),
    ...(response.schema
      ? { content: { [response.contentType ?? 'application/json']: { schema: response.schema } } }
      : {}),
  };
}

const problemContent = { 'application/problem+json': { schema: problemSchema } };
const headersOfProblem: Readonly<Record<number, ResponseHeader>> = {
  401: 'WWW-Authenticate',
  405: 'Allow',
  416: 'Content-Range',
  429: 'Retry-After',
  503: 'Retry-After',
};

function problemOf(status: number, codes: ErrorCode[]): Response {
  const special = headersOfProblem[status];
  return {
    description: codes.map((code) => `${code}: ${errorRegistry[code].title}.`).join(' '),
    headers: headerRefs(['X-Request-Id', 'Cache-Control', ...(special ? [special] : [])]),
    content: problemContent,
    'x-problem-codes': codes,
  } as Response;
}

function headerRefs(names: ResponseHeader[]): Required<ResponseConfig>['headers'] {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${componentName(name)}` }]));
}

/** Components are named with letters only, so that generated code can use the names. */
function componentName(header: string): string {
  return header.replaceAll('-', '');
}

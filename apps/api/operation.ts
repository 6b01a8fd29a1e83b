/**
 * One operation of the API: its path, who may call it, the zod schemas that check what comes in and document it, and its handler.
 * Express routes, 405 answers and the OpenAPI document are all made from the same list of operations.
 */
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Actor, Scope } from '@omnizap/catalog';
import type { ErrorCode, Logger } from '@omnizap/runtime';
import type { RequestHeader, ResponseHeader } from './http-headers.ts';
import type { LimitClass } from './limit-classes.ts';
import type { RouteGroup } from './route-groups.ts';

/** What may be wrong with a query, a body, a path: absent schemas accept nothing at all. */
type Shape = z.ZodObject;
type Input<S extends Shape | undefined> = S extends Shape ? z.output<S> : undefined;

export type Call<Q extends Shape | undefined = Shape, B extends Shape | undefined = Shape> = {
  request: Request;
  response: Response;
  params: Record<string, string>;
  query: Input<Q>;
  body: Input<B>;
  /** Null only where authentication is optional and was not given. */
  actor: Actor | null;
  requestId: string;
  log: Logger;
};

export type Answer =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  /** The handler has written the response itself. */
  | 'written';

/** `headers`: those beyond what follows from the shape of the operation. */
export type ResponseDoc = {
  description: string;
  schema?: z.ZodType;
  contentType?: string;
  headers?: readonly ResponseHeader[];
};

/** A request that works, shown in the document and sent by a test. `'{ownPackKey}'` names a fixture: see example-fixtures.ts. */
export type OperationExample = {
  params?: Record<string, string>;
  /** An array: the parameter several times. */
  query?: Record<string, string | number | boolean | string[]>;
  headers?: Partial<Record<RequestHeader, string>>;
  body?: Record<string, unknown>;
  /** Fields of a form; a fixture that is a picture becomes a file. */
  multipart?: Record<string, string>;
  status: number;
};

export type OperationSpec<Q extends Shape | undefined, B extends Shape | undefined> = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI style: `/api/sticker-packs/{packKey}`. */
  path: string;
  id: string;
  summary: string;
  routeGroup: RouteGroup;
  /** `public` ignores credentials, `optional` uses them when given, a scope requires a key that has it. */
  access: 'public' | 'optional' | Scope;
  /** What each part of the path means, or its schema where path-parameters.ts does not know the name. */
  params?: Record<string, string | z.ZodType>;
  query?: Q;
  /** Headers that it looks at, beyond those that follow from its responses. */
  headers?: readonly RequestHeader[];
  body?: B;
  /** Request body that the handler reads itself; shown in the document. */
  rawBody?: { contentType: string; schema: z.ZodType };
  responses: Record<number, ResponseDoc>;
  /** Codes that it may answer with, beyond those that follow from its shape: see operation-problems.ts. */
  problems?: readonly ErrorCode[];
  /** None fails a test; the type leaves it open for what is being written. */
  example?: OperationExample;
  /** Which of its client's requests it counts with. Default: by method and access, see operation-defaults.ts. */
  limit?: LimitClass | 'none';
  /** Parameters of the query with which the answer is worked out rather than taken from a cache: those requests are `read`s. */
  limitedBy?: readonly string[];
  /** Pages of other sites may call it. Default: when it needs no key. */
  isForOtherSites?: boolean;
  /** Its answer holds what is shown once and kept nowhere: neither compressed nor recorded under an Idempotency-Key. */
  hasSecretAnswer?: boolean;
  /**
   * POST with a key: the answer to a request that was carried out by a process that died before it answered. `outcome` is what the
   * request's last transaction returned, as it comes back from JSON. Null, or absent: 409 `answer-lost`.
   */
  recover?: (call: Call, outcome: unknown) => Promise<Answer | null>;
  handle: (call: Call<Q, B>) => Promise<Answer>;
};

export type Operation = OperationSpec<Shape | undefined, Shape | undefined>;

/** Keeps the handler's types tied to its schemas. */
export function operation<const Q extends Shape | undefined = undefined, const B extends Shape | undefined = undefined>(
  spec: OperationSpec<Q, B>,
): Operation {
  return spec;
}

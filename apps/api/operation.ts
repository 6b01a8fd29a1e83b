/**
 * One operation of the API: its path, who may call it, the zod schemas that check what comes in and document it, and its handler.
 * Express routes, 405 answers and the OpenAPI document are all made from the same list of operations.
 */
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Actor, Scope } from '@omnizap/catalog';
import type { Logger } from '@omnizap/runtime';
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

export type ResponseDoc = { description: string; schema?: z.ZodType; contentType?: string };

export type OperationSpec<Q extends Shape | undefined, B extends Shape | undefined> = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI style: `/api/sticker-packs/{packKey}`. */
  path: string;
  id: string;
  summary: string;
  routeGroup: RouteGroup;
  /** `public` ignores credentials, `optional` uses them when given, a scope requires a key that has it. */
  access: 'public' | 'optional' | Scope;
  params?: Record<string, string>;
  query?: Q;
  body?: B;
  /** Request body that the handler reads itself; shown in the document. */
  rawBody?: { contentType: string; schema: z.ZodType };
  responses: Record<number, ResponseDoc>;
  handle: (call: Call<Q, B>) => Promise<Answer>;
};

export type Operation = OperationSpec<Shape | undefined, Shape | undefined>;

/** Keeps the handler's types tied to its schemas. */
export function operation<const Q extends Shape | undefined = undefined, const B extends Shape | undefined = undefined>(
  spec: OperationSpec<Q, B>,
): Operation {
  return spec;
}

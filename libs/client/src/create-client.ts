/**
 * The API as functions: one for each operation, typed from its description. It needs nothing but `fetch`, so it runs in Node and in
 * browsers alike. It does not try again by itself: give it a `fetch` that does.
 */
import { routes } from './generated/operations.ts';
import type { Operations, Problem } from './generated/operations.ts';
import { ProblemError } from './problem-error.ts';

export type ClientOptions = {
  /** Such as `http://127.0.0.1:9102`. */
  baseUrl: string;
  /** API key, for what needs one. */
  key?: string | undefined;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** Default: the global one. */
  fetch?: typeof fetch;
};

/** Beside the input of an operation. */
export type CallOptions = { signal?: AbortSignal; headers?: Record<string, string> };

type Id = keyof Operations;
type Input = { params?: object; query?: object; headers?: object; body?: unknown; form?: object };
/** The input may be left out where nothing in it is required. */
type Arguments<I> = object extends I ? [input?: I, options?: CallOptions] : [input: I, options?: CallOptions];

export type Client = {
  [One in Id]: (...args: Arguments<Operations[One]['input']>) => Promise<Operations[One]['answer']>;
};

/** Each function throws ProblemError when the API refuses, and what `fetch` throws when there is no answer. */
export function createClient(options: ClientOptions): Client {
  const call = async (id: Id, input: Input = {}, { signal, headers }: CallOptions = {}): Promise<unknown> => {
    const { method, path } = routes[id];
    const send = options.fetch ?? fetch;
    const response = await send(new URL(fillPath(path, input.params) + searchOf(input.query), options.baseUrl), {
      method,
      headers: {
        ...(options.key === undefined ? {} : { Authorization: `Bearer ${options.key}` }),
        ...(input.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...options.headers,
        ...(input.headers as Record<string, string> | undefined),
        ...headers,
      },
      ...bodyOf(input),
      ...(signal ? { signal } : {}),
    });
    if (response.status >= 400) throw new ProblemError(await problemOf(response), response.headers);
    return { status: response.status, headers: response.headers, body: await contentOf(response) };
  };
  const functions = (Object.keys(routes) as Id[]).map((id) => [
    id,
    (input?: Input, callOptions?: CallOptions) => call(id, input, callOptions),
  ]);
  return Object.fromEntries(functions) as Client;
}

function fillPath(path: string, params: object = {}): string {
  const values = params as Record<string, string | number>;
  return path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(String(values[name])));
}

/** A list is the parameter several times; undefined is left out. */
function searchOf(query: object = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, unknown][]) {
    for (const one of [value].flat())
      if (one !== undefined) search.append(name, typeof one === 'string' ? one : JSON.stringify(one));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

function bodyOf({ body, form }: Input): { body?: string | FormData } {
  if (body !== undefined) return { body: JSON.stringify(body) };
  if (form === undefined) return {};
  const data = new FormData();
  for (const [name, value] of Object.entries(form) as [string, string | Blob | undefined][]) {
    if (typeof value === 'string') data.set(name, value);
    else if (value) data.set(name, value, 'sticker');
  }
  return { body: data };
}

async function contentOf(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type');
  if (response.status === 204 || response.status === 304 || type === null) return null;
  return /^application\/([\w.-]+\+)?json\b/.test(type) ? await response.json() : await response.blob();
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('application/problem+json') === true)
    return JSON.parse(text) as Problem;
  const { status, statusText, headers } = response;
  const request_id = headers.get('x-request-id') ?? '';
  return { type: 'about:blank', title: statusText, status, detail: text.slice(0, 200), code: 'unknown', request_id };
}

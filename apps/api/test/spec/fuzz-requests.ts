/** Requests to fuzz an operation with, drawn from its description: some right, most wrong in one to three places. */
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { encodeText, pathOf } from './build-request.ts';
import type { RequestParts } from './build-request.ts';
import type { Fixtures } from './create-fixtures.ts';
import { bodyChange, brokenBody, formBody, formChange, jsonBody } from './fuzz-bodies.ts';
import type { RawBody } from './fuzz-bodies.ts';
import { beyond, fitting, hostileName, hostileText } from './fuzz-values.ts';
import type { WireRequest } from './send.ts';
import type { Parameter, SpecOperation } from './spec.ts';

/** A request that is being made worse. */
type Draft = RequestParts & { method: string; rawBody?: RawBody; rawPath?: string };
type Step = (draft: Draft) => Draft;

export type Drawn = {
  /** How the credentials come about: the right ones, or none of them. */
  key: keyof Fixtures['keys'] | 'right' | 'none' | 'broken';
  /** Nothing about it is wrong: it must be answered with success at least once. */
  isRight: boolean;
  /** Builds the request on top of a right one. */
  build: (right: RequestParts, key: string | undefined) => WireRequest;
};

const oneOf = <T>(...values: T[]): Arbitrary<T> => fc.constantFrom(...values);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** Everything about a request of this operation, apart from the fixtures. */
export function drawnRequest(operation: SpecOperation, document: object): Arbitrary<Drawn> {
  const wrong = wrongStep(operation, document);
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant<Step[]>([]).map((steps) => drawn(operation, 'right', steps, true)) },
    {
      weight: 2,
      arbitrary: fittingSteps(operation, document).map((steps) => drawn(operation, 'right', steps, true)),
    },
    {
      weight: 6,
      arbitrary: fc
        .tuple(keyName, fittingSteps(operation, document), fc.array(wrong, { minLength: 1, maxLength: 3 }))
        .map(([key, fits, steps]) => drawn(operation, key, [...fits, ...steps], false)),
    },
  );
}

const keyName: Arbitrary<Drawn['key']> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Drawn['key']>('right') },
  { weight: 3, arbitrary: oneOf<Drawn['key']>('owner', 'admin', 'metrics', 'stranger', 'revoked', 'none', 'broken') },
);

function drawn(operation: SpecOperation, key: Drawn['key'], steps: Step[], isRight: boolean): Drawn {
  return {
    key,
    isRight,
    build(right, token) {
      let draft: Draft = { ...right, method: operation.method };
      for (const step of steps) draft = step(draft);
      const { rawBody, form, body, method } = draft;
      const sent = rawBody ?? (form ? formBody(form) : body ? jsonBody(body) : undefined);
      const headers = { ...sent?.headers, ...draft.headers };
      return {
        method,
        path: draft.rawPath ?? pathOf(operation, draft),
        headers: { ...(token === undefined ? {} : { authorization: token }), ...headers },
        ...(sent && method !== 'GET' && method !== 'HEAD' ? { body: sent.bytes } : {}),
      };
    },
  };
}

const queryOf = ({ parameters }: SpecOperation): Parameter[] => parameters.filter((one) => one.in === 'query');

const withQuery = (draft: Draft, name: string, values: string[]): Draft => ({
  ...draft,
  query: [
    ...draft.query.filter(([other]) => other !== name),
    ...values.map((value): [string, string] => [name, value]),
  ],
});

/** Optional parameters set to what their schemas allow. */
function fittingSteps(operation: SpecOperation, document: object): Arbitrary<Step[]> {
  // A cursor that fits its schema is still none that was given out.
  const optional = queryOf(operation).filter(({ required, name }) => required !== true && name !== 'cursor');
  const setting = optional.map(({ name, schema }) =>
    fc.option(fitting(schema, document), { freq: 1, nil: undefined }).map((value): Step => {
      if (value === undefined) return (draft) => draft;
      return (draft) => withQuery(draft, name, [value].flat().map(textOf));
    }),
  );
  const { body } = operation;
  const bodies =
    body?.contentType === 'application/json'
      ? fc.option(fitting(body.schema, document), { freq: 1, nil: undefined }).map((value): Step => {
          if (typeof value !== 'object' || value === null) return (draft) => draft;
          return (draft) => ({ ...draft, body: { ...draft.body, ...value } });
        })
      : fc.constant<Step>((draft) => draft);
  return fc.tuple(bodies, ...setting);
}

/** One thing wrong. */
function wrongStep(operation: SpecOperation, document: object): Arbitrary<Step> {
  const inPath = operation.parameters.filter((one) => one.in === 'path');
  const inQuery = queryOf(operation);
  const choices: fc.WeightedArbitrary<Step>[] = [
    { weight: 2, arbitrary: wrongHeader(operation) },
    { weight: 1, arbitrary: unknownQuery },
    { weight: 1, arbitrary: wrongTarget(operation) },
  ];
  if (inPath.length > 0)
    choices.push({ weight: 3, arbitrary: oneOf(...inPath).chain((one) => wrongPath(one, document)) });
  if (inQuery.length > 0)
    choices.push({ weight: 4, arbitrary: oneOf(...inQuery).chain((one) => wrongQuery(one, document)) });
  if (operation.body?.contentType === 'application/json')
    choices.push(
      {
        weight: 4,
        arbitrary: bodyChange(operation.body.schema).map((change): Step => (draft) => ({
          ...draft,
          body: change(draft.body ?? {}),
        })),
      },
      { weight: 2, arbitrary: brokenBody.map((rawBody): Step => (draft) => ({ ...draft, rawBody })) },
    );
  else if (operation.body)
    choices.push({
      weight: 5,
      arbitrary: formChange.map((change): Step => (draft) => ({ ...draft, rawBody: change(draft.form ?? []) })),
    });
  else choices.push({ weight: 1, arbitrary: brokenBody.map((rawBody): Step => (draft) => ({ ...draft, rawBody })) });
  return fc.oneof(...choices);
}

function wrongPath({ name, schema }: Parameter, document: object): Arbitrary<Step> {
  return fc
    .oneof({ weight: 2, arbitrary: hostileText }, { weight: 1, arbitrary: fitting(schema, document) })
    .map((value): Step => {
      return (draft) => ({ ...draft, params: { ...draft.params, [name]: textOf(value) } });
    });
}

function wrongQuery({ name, schema }: Parameter, document: object): Arbitrary<Step> {
  const value = fc.oneof(
    { weight: 3, arbitrary: hostileText },
    { weight: 3, arbitrary: beyond(schema) },
    { weight: 1, arbitrary: fitting(schema, document) },
  );
  return fc.oneof(
    {
      weight: 4,
      arbitrary: value.map(
        (one): Step =>
          (draft) =>
            withQuery(draft, name, [textOf(one)]),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.array(value, { minLength: 2, maxLength: 30 }).map(
        (all): Step =>
          (draft) =>
            withQuery(draft, name, all.map(textOf)),
      ),
    },
    { weight: 1, arbitrary: fc.constant<Step>((draft) => withQuery(draft, name, [])) },
  );
}

const unknownQuery: Arbitrary<Step> = fc
  .tuple(hostileName, hostileText)
  .map(([name, value]): Step => (draft) => ({ ...draft, query: [...draft.query, [name, value]] }));

/** Another method, or a URL that cannot be decoded or is too long for any server. */
function wrongTarget(operation: SpecOperation): Arbitrary<Step> {
  const appended = (text: string): Step => {
    return (draft) => {
      const path = pathOf(operation, draft);
      return { ...draft, rawPath: `${path}${path.includes('?') ? '&' : '?'}${text}` };
    };
  };
  return fc.oneof(
    oneOf('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS').map((method): Step => (draft) => ({
      ...draft,
      method,
    })),
    oneOf('%', '%zz=1', '%E0%A4%A', 'a=%ff', '&&&=', '=', '?', `x=${'y'.repeat(9_000)}`, `x=${'y'.repeat(20_000)}`).map(
      appended,
    ),
    oneOf('%', '%zz', '%E0%A4%A', '%ff').map((text): Step => {
      return (draft) => ({ ...draft, rawPath: `${operation.path.replaceAll(/\{\w+\}/g, text)}` });
    }),
  );
}

/** As far as a client can send it: Node refuses to write other characters into a header. */
const headerText = hostileText.map((text) =>
  text
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?')
    .slice(0, 2_000)
    .trim(),
);
const headerValues: Record<string, string[]> = {
  'if-none-match': ['*', '"x"', 'W/"x"', '"a", "b"', 'x', '"', ',', `"${'x'.repeat(2_000)}"`],
  'if-match': ['*', '"x"', 'W/"x"', '"', ''],
  range: [
    'bytes=0-0',
    'bytes=-5',
    'bytes=5-1',
    'bytes=99999999-',
    'bytes=0-1,4-5',
    'bytes=',
    'lines=1-2',
    'bytes=0-1e9',
  ],
  'if-range': ['"x"', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  'if-modified-since': ['Thu, 01 Jan 2099 00:00:00 GMT', 'never'],
  accept: ['*/*', 'application/json', 'text/html', 'image/webp', '*/*;q=0', 'x', ';', 'application/json;q=2'],
  'accept-encoding': ['gzip', 'br', 'identity;q=0', '*;q=0', 'pony'],
  'idempotency-key': ['a', 'a', 'b', 'x'.repeat(300), '"quoted"', ' '],
  'x-request-id': ['mine-1', 'two words', 'x'.repeat(129), 'ä'],
  'x-viewer-key': ['v', '', 'x'.repeat(1_000), 'ä'],
  cookie: ['omnizap_vid=1', 'omnizap_vid=', ';;;', '__proto__=1'],
  origin: ['https://example.org', 'null'],
  'x-forwarded-for': ['10.0.0.1', '::1, x', 'not an address'],
  'x-http-method-override': ['DELETE'],
};

function wrongHeader({ parameters }: SpecOperation): Arbitrary<Step> {
  const own = parameters.filter((one) => one.in === 'header').map(({ name }) => name.toLowerCase());
  return oneOf(...Object.keys(headerValues), ...own, ...own, ...own).chain((name) =>
    fc
      .oneof({ weight: 4, arbitrary: oneOf(...(headerValues[name] ?? ['x'])) }, { weight: 1, arbitrary: headerText })
      .map((value): Step => (draft) => ({ ...draft, headers: { ...draft.headers, [name]: value } })),
  );
}

/** The Authorization header for a drawn key; undefined: none is sent. `turn` chooses among broken ones. */
export function authorizationOf(
  key: Drawn['key'],
  right: string | undefined,
  { keys }: Fixtures,
  turn: number,
): string | undefined {
  const bearer = (token: string): string => `Bearer ${token}`;
  if (key === 'none') return undefined;
  if (key === 'right') return right === undefined ? undefined : bearer(right);
  if (key !== 'broken') return bearer(keys[key]);
  const broken = ['', 'Bearer', 'Bearer ', 'Basic eDp5', bearer('x'), bearer(`oz_${'0'.repeat(16)}_${'A'.repeat(43)}`)];
  return [...broken, bearer(encodeText('ключ')), bearer(keys.owner.slice(0, -1)), bearer('x'.repeat(5_000))][turn % 9];
}

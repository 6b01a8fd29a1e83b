/** A request of an operation as a client would make it, out of its example and with the fixtures of a fleet. */
import { fillExample } from '../../example-fixtures.ts';
import type { Fixtures, Picture } from './create-fixtures.ts';
import { formBody, jsonBody } from './fuzz-bodies.ts';
import type { Part, RawBody } from './fuzz-bodies.ts';
import type { WireRequest } from './send.ts';
import type { Example, SpecOperation } from './spec.ts';

/** What a request consists of before it is written down. */
export type RequestParts = {
  params: Record<string, string>;
  query: [string, string][];
  headers: Record<string, string>;
  body?: Record<string, unknown>;
  form?: Part[];
};

const fixtureName = /\{(\w+)\}/g;

export const isPicture = (value: unknown): value is Picture =>
  typeof value === 'object' && value !== null && Buffer.isBuffer((value as Picture).bytes);

/** The example with values of the fleet in it; what may be lost is made anew. */
export async function filledExample(example: Example, fixtures: Fixtures): Promise<Example> {
  const values = new Map<string, unknown>();
  // One after the other: a sticker belongs to the pack that was made before it.
  for (const [, name = ''] of JSON.stringify(example).matchAll(fixtureName))
    if (!values.has(name)) values.set(name, await fixtures.take(name));
  return fillExample(example, (name) => values.get(name));
}

/** The names of the fixtures that an example uses. */
export function fixturesOf(example: Example): string[] {
  return [...JSON.stringify(example).matchAll(fixtureName)].map(([, name = '']) => name);
}

export function partsOf(example: Example): RequestParts {
  const text = (value: unknown): string => String(value);
  return {
    params: Object.fromEntries(Object.entries(example.params ?? {}).map(([name, value]) => [name, text(value)])),
    query: Object.entries(example.query ?? {}).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, text(one)]),
    ),
    headers: Object.fromEntries(
      Object.entries(example.headers ?? {}).map(([name, value]) => [name.toLowerCase(), text(value)]),
    ),
    ...(example.body ? { body: example.body } : {}),
    ...(example.multipart
      ? {
          form: Object.entries(example.multipart).map(([name, value]) =>
            isPicture(value)
              ? { name, content: value.bytes, filename: 'sticker.png', contentType: 'image/png' }
              : { name, content: Buffer.from(text(value)) },
          ),
        }
      : {}),
  };
}

/** The key that lets the operation be called: of an owner or of an administrator; undefined when it needs none. */
export function keyFor({ scopes }: SpecOperation, { keys }: Fixtures): string | undefined {
  if (scopes === null) return undefined;
  return scopes.includes('admin') ? keys.admin : scopes.includes('metrics') ? keys.metrics : keys.owner;
}

/** Percent-encodes everything but letters and digits, half characters as three bytes each, which is no valid UTF-8. */
export function encodeText(text: string): string {
  return [...text]
    .map((character) => {
      if (/^[A-Za-z0-9_-]$/.test(character)) return character;
      const code = character.codePointAt(0) ?? 0;
      const bytes =
        code >= 0xd800 && code <= 0xdfff
          ? [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
          : [...Buffer.from(character)];
      return bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    })
    .join('');
}

export function pathOf({ path }: SpecOperation, { params, query }: RequestParts): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => encodeText(params[name] ?? 'missing'));
  const search = query.map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`).join('&');
  return search === '' ? filled : `${filled}?${search}`;
}

export function wireOf(operation: SpecOperation, parts: RequestParts, key: string | undefined): WireRequest {
  const body: RawBody | undefined = parts.form ? formBody(parts.form) : parts.body ? jsonBody(parts.body) : undefined;
  return {
    method: operation.method,
    path: pathOf(operation, parts),
    headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...body?.headers, ...parts.headers },
    ...(body ? { body: body.bytes } : {}),
  };
}

/** Bodies as clients send them when something is wrong with the client. */
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { deflateSync, gzipSync } from 'node:zlib';
import { beyond, hostileJson, hostileName, hostileText } from './fuzz-values.ts';
import type { Schema } from './spec.ts';

export type Part = { name: string; content: Buffer; filename?: string; contentType?: string };
export type RawBody = { bytes: Buffer; headers: Record<string, string> };

/** Turns a body that is right into one that may not be. */
export type BodyChange = (body: Record<string, unknown>) => Record<string, unknown>;

const withOwn = (body: object, name: string, value: unknown): Record<string, unknown> =>
  Object.fromEntries([...Object.entries(body).filter(([key]) => key !== name), [name, value]]);

/** One field wrong, missing, or too many. */
export function bodyChange(schema: Schema): Arbitrary<BodyChange> {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const field = properties.length === 0 ? fc.constant(['x', {}] as [string, Schema]) : fc.constantFrom(...properties);
  return fc.oneof(
    {
      weight: 4,
      arbitrary: field.chain(([name, property]) =>
        fc.oneof(beyond(property), hostileJson).map(
          (value): BodyChange =>
            (body) =>
              withOwn(body, name, value),
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: field.map(
        ([name]): BodyChange =>
          (body) =>
            Object.fromEntries(Object.entries(body).filter(([key]) => key !== name)),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(hostileName, hostileJson).map(
        ([name, value]): BodyChange =>
          (body) =>
            withOwn(body, name, value),
      ),
    },
  );
}

/** JSON.stringify would drop `__proto__` of some objects and escape half characters: tests send both as they are. */
export const jsonBody = (value: unknown): RawBody => ({
  bytes: Buffer.from(JSON.stringify(value) ?? ''),
  headers: { 'content-type': 'application/json' },
});

const json = { 'content-type': 'application/json' };
const raw = (text: string | Buffer, headers: Record<string, string> = json): RawBody => ({
  bytes: Buffer.from(text as string),
  headers,
});

/** Not even JSON, or not as its headers say. */
export const brokenBody: Arbitrary<RawBody> = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      '{',
      '{"name":',
      '[]',
      'null',
      '"x"',
      '7',
      '1e999',
      '{"a":1}}',
      "{'a':1}",
      '{"a":undefined}',
      '\ufeff{}',
    ].map((text) => raw(text)),
    ...['[', '{"a":', '{"filter":'].map((open) => raw(open.repeat(4_000))),
    raw(`${'['.repeat(3_000)}${']'.repeat(3_000)}`),
    raw(`{"filter":${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}}`),
    raw('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}'),
    raw('{"name":"a","name":"b"}'),
    raw('{"name":"\\ud800"}'),
    raw(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
    raw(JSON.stringify({ name: 'x'.repeat(70_000) })),
    raw('{}', { 'content-type': 'text/plain' }),
    raw('{}', { 'content-type': 'application/json; charset=utf-16' }),
    raw('{}', { 'content-type': 'application/json; charset=pony' }),
    raw('{}', { 'content-type': 'application/json; charset="' }),
    raw('{}', { 'content-type': 'application/problem+json' }),
    raw('{}', { 'content-type': 'APPLICATION/JSON' }),
    raw('{}', { 'content-type': ';;;' }),
    raw('{}', {}),
    raw('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
    raw('{}', { ...json, 'content-encoding': 'gzip' }),
    raw('{}', { ...json, 'content-encoding': 'br' }),
    raw('{}', { ...json, 'content-encoding': 'pony' }),
    raw(gzipSync('{'), { ...json, 'content-encoding': 'gzip' }),
    raw(gzipSync(JSON.stringify({ name: 'x'.repeat(1_000_000) })), { ...json, 'content-encoding': 'gzip' }),
    raw(deflateSync('{}').subarray(0, 6), { ...json, 'content-encoding': 'deflate' }),
  ),
  hostileText.map((text) => raw(text)),
  hostileJson.map(jsonBody),
);

export function formBody(parts: Part[], boundary = 'fuzz-7f3a'): RawBody {
  const pieces = parts.flatMap(({ name, content, filename, contentType }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"` +
        `${filename === undefined ? '' : `; filename="${filename}"`}\r\n` +
        `${contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`}\r\n`,
    ),
    content,
    Buffer.from('\r\n'),
  ]);
  return {
    bytes: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}

export type FormChange = (parts: Part[]) => RawBody;

const cut = (share: number): FormChange => {
  return (parts) => {
    const { bytes, headers } = formBody(parts);
    return { bytes: bytes.subarray(0, Math.floor(bytes.length * share)), headers };
  };
};
const relabelled = (contentType: string): FormChange => {
  return (parts) => ({ ...formBody(parts), headers: { 'content-type': contentType } });
};
const eachFile = (change: (part: Part) => Part): FormChange => {
  return (parts) => formBody(parts.map((part) => (part.filename === undefined ? part : change(part))));
};

/** A form with something wrong in its parts, its boundaries or its file. */
export const formChange: Arbitrary<FormChange> = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }).map(cut),
  fc
    .constantFrom(
      ...['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=other', 'image/png'],
      ...[
        'multipart/mixed; boundary=fuzz-7f3a',
        `multipart/form-data; boundary=${'b'.repeat(300)}`,
        'application/json',
      ],
    )
    .map(relabelled),
  fc.constantFrom<FormChange>(
    (parts) => formBody([...parts, ...parts]),
    () => formBody([]),
    (parts) => formBody(parts.filter(({ filename }) => filename === undefined)),
    (parts) => formBody(parts.map(({ name, content }) => ({ name, content }))),
    (parts) => formBody(Array.from({ length: 40 }, (_, index) => ({ ...(parts[0] as Part), name: `f${index}` }))),
    (parts) => ({ ...formBody(parts), bytes: Buffer.from('nothing of the kind') }),
    (parts) => ({ ...formBody(parts), bytes: Buffer.alloc(0) }),
    (parts) => ({
      ...formBody(parts),
      bytes: Buffer.from(formBody(parts).bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
    }),
    eachFile((part) => ({ ...part, content: Buffer.alloc(0) })),
    eachFile((part) => ({ ...part, content: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') })),
    eachFile((part) => ({ ...part, content: part.content.subarray(0, Math.floor(part.content.length / 2)) })),
    eachFile((part) => ({ ...part, filename: '../../../etc/passwd' })),
    eachFile((part) => ({ ...part, filename: 'x'.repeat(5_000) })),
    eachFile((part) => ({ ...part, contentType: 'text/html' })),
    eachFile((part) => ({ ...part, name: '__proto__' })),
  ),
  fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 6 }).map((noise) =>
    // The first bytes of a picture decide what reads it: the rest is spoilt.
    eachFile((part) => {
      const content = Buffer.from(part.content);
      for (const [index, byte] of noise.entries()) content[(byte * 97 + index * 31) % content.length] = byte;
      return { ...part, content };
    }),
  ),
  fc.tuple(hostileName, hostileText).map(
    ([name, text]): FormChange =>
      (parts) =>
        formBody([...parts, { name: name.replaceAll(/["\r\n]/g, ''), content: Buffer.from(text) }]),
  ),
  fc.tuple(fc.nat({ max: 5 }), hostileText).map(
    ([index, text]): FormChange =>
      (parts) =>
        formBody(
          parts.map((part, at) => (at === index % parts.length ? { ...part, content: Buffer.from(text) } : part)),
        ),
  ),
);

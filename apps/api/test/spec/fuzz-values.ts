/** Values that fit a schema, values at its edges, and values that fit nothing. */
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { resolveRef } from './spec.ts';
import type { Schema } from './spec.ts';

/** What has broken a server somewhere: control characters, half characters, numbers that overflow, other languages' syntax. */
const notoriousTexts = [
  ...['', ' ', '\t', '\0', 'a\0b', '\ud800', 'a\udfffb', '\u2028', '\ufeff', '\uffff', '\u{10ffff}', '\x7f', '\x85'],
  ...['😀', '👩‍👩‍👧‍👦', 'עברית', '\u202etxt.exe', 'İ', 'ß', 'ﷺ', 'e\u0301', 'Ａ', 'ａｄｍｉｎ', '٣', 'Ⅳ', 'z̷͇̲͂͛̈́'],
  ...['null', 'undefined', 'true', 'NaN', '[object Object]', '__proto__', 'constructor', 'toString', 'hasOwnProperty'],
  ...[
    '-1',
    '0',
    '00',
    '+1',
    '1.5',
    '1e309',
    '-0',
    '0x10',
    '2147483648',
    '9223372036854775808',
    '9'.repeat(25),
    '1_000',
  ],
  ...["' OR '1'='1", "'; DROP TABLE sticker_pack; --", '%', '_', '\\', '%_%', '"', '`', '${7*7}', '{{7*7}}', '$(id)'],
  ...[
    '../../etc/passwd',
    '..',
    '.',
    '/',
    '//',
    'a/b',
    '%00',
    '%2e%2e',
    'file:///etc/passwd',
    'http://127.0.0.1/',
    '#',
    '?',
  ],
  ...[
    '<script>alert(1)</script>',
    '&lt;',
    '\r\nX-Evil: 1',
    'a\nb',
    'x'.repeat(256),
    'x'.repeat(3_000),
    '😀'.repeat(400),
  ],
];

export const hostileText: Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...notoriousTexts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 80 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom('\ud83d', '\ude00', 'a', '\0'), maxLength: 20 }) },
);

const polluting = ['__proto__', 'constructor', 'prototype', 'toString', '$where', ''];

/** Any JSON, with strings of the worst kind in it. */
export const hostileJson: Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  {
    weight: 2,
    arbitrary: fc.constantFrom(null, true, false, 0, -1, 1.5, 1e308, 2 ** 53, -(2 ** 63), [], {}, [[]], [null]),
  },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...polluting, 'a'), hostileText, { maxKeys: 3 }) },
  { weight: 1, arbitrary: fc.array(hostileText, { maxLength: 40 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

/** A name for a field or a parameter that nobody asked for. */
export const hostileName: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...polluting.slice(0, -1), 'owner_id', 'isAdmin', 'sort[]', 'limit[$gt]', 'a.b', 'Sort'),
  hostileText,
);

/** What the schema says, as far as it says it: refinements that it cannot express may still refuse the value. */
export function fitting(schema: Schema, document: object): Arbitrary<unknown> {
  if (typeof schema.$ref === 'string') return fitting(resolveRef(document, schema.$ref) as Schema, document);
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom<unknown>(...(schema.enum as unknown[]));
  for (const choice of [schema.anyOf, schema.oneOf]) {
    if (Array.isArray(choice)) return fc.oneof(...(choice as Schema[]).map((one) => fitting(one, document)));
  }
  const [type] = [schema.type].flat();
  const number = (keyword: string, fallback: number): number => (schema[keyword] as number | undefined) ?? fallback;
  switch (type) {
    case 'integer': {
      const min = number('minimum', number('exclusiveMinimum', -1_000) + ('exclusiveMinimum' in schema ? 1 : 0));
      const max = number('maximum', 1_000_000);
      return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max: Math.min(max, min + 100_000) }));
    }
    case 'number':
      return fc.double({ min: number('minimum', 0), max: number('maximum', 1_000), noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const maxLength = Math.min(number('maxItems', 5), 20);
      return fc.array(fitting((schema.items ?? {}) as Schema, document), {
        minLength: number('minItems', 0),
        maxLength,
      });
    }
    case 'object':
      return fittingObject(schema, document);
    case 'null':
      return fc.constant(null);
    case 'string':
      return fittingText(schema);
    default:
      return hostileJson;
  }
}

function fittingObject(schema: Schema, document: object): Arbitrary<unknown> {
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  return fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, fitting(property, document)])),
    { requiredKeys: (schema.required ?? []) as string[], noNullPrototype: true },
  );
}

function fittingText(schema: Schema): Arbitrary<string> {
  if (schema.format === 'date-time')
    return fc
      .date({ min: new Date('2000-01-02T00:00:00Z'), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (schema.format === 'uuid') return fc.uuid();
  if (typeof schema.pattern === 'string') return fc.stringMatching(new RegExp(schema.pattern));
  const minLength = (schema.minLength as number | undefined) ?? 0;
  const maxLength = (schema.maxLength as number | undefined) ?? 60;
  return fc.oneof(
    fc.string({ minLength, maxLength: Math.min(maxLength, 40) }),
    fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '漢'), minLength, maxLength: Math.min(maxLength, 40) }),
    fc.constant('x'.repeat(Math.min(maxLength, 4_096))),
  );
}

/** One past each limit that the schema names; where it names none, anything. */
export function beyond(schema: Schema): Arbitrary<unknown> {
  const limit = (keyword: string): number | undefined => schema[keyword] as number | undefined;
  const values: unknown[] = [];
  const [minimum, maximum, minLength, maxLength] = ['minimum', 'maximum', 'minLength', 'maxLength'].map(limit);
  if (minimum !== undefined) values.push(minimum - 1, minimum - 0.5);
  if (maximum !== undefined) values.push(maximum + 1, maximum * 1_000);
  if (minLength !== undefined && minLength > 0) values.push('x'.repeat(minLength - 1));
  if (maxLength !== undefined) values.push('x'.repeat(maxLength + 1), '😀'.repeat(maxLength), 'x'.repeat(maxLength));
  if (Array.isArray(schema.enum)) values.push(String(schema.enum[0]).toUpperCase(), `${String(schema.enum[0])} `);
  const [itemsBelow, itemsAbove] = [limit('minItems'), limit('maxItems')];
  if (itemsBelow !== undefined && itemsBelow > 0) values.push([]);
  if (itemsAbove !== undefined) values.push(Array.from({ length: itemsAbove + 1 }, (_, index) => `x${index}`));
  return values.length === 0 ? hostileJson : fc.constantFrom(...values);
}

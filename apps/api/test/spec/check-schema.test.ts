import { describe, expect, it } from '@jest/globals';
import { checkSchema } from './check-schema.ts';
import type { Schema } from './spec.ts';

const document = { components: { schemas: { Name: { type: 'string', maxLength: 3 } } } };
const named = { $ref: '#/components/schemas/Name' };

/** Value that matches, value that does not. */
const cases: [string, Schema, unknown, unknown][] = [
  ['type', { type: 'string' }, 'a', 1],
  ['several types', { type: ['integer', 'null'] }, null, 1.5],
  ['a whole number written as a float', { type: 'integer' }, 2.0, '2'],
  ['NaN as a number', { type: 'number' }, 0.1, Number.NaN],
  ['enum', { enum: ['a', null] }, null, 'b'],
  ['const', { const: 'a' }, 'a', 'A'],
  ['pattern', { pattern: '^[a-z]+$' }, 'abc', 'a1'],
  ['length in code points', { minLength: 1, maxLength: 2 }, '😀😀', '😀😀😀'],
  ['bounds', { minimum: 1, exclusiveMaximum: 3 }, 1, 3],
  ['multipleOf', { multipleOf: 0.5 }, 1.5, 1.2],
  ['format date-time', { format: 'date-time' }, '2026-01-31T13:45:00.123Z', '2026-01-31'],
  ['format uuid', { format: 'uuid' }, '019ab3c0-5d1e-7c44-9e0f-3a1b2c4d5e6f', 'x'],
  ['items', { type: 'array', items: { type: 'integer' } }, [1, 2], [1, 'b']],
  ['numbers of items', { minItems: 1, maxItems: 1 }, [0], []],
  ['unique items', { uniqueItems: true }, [1, 2], [1, 1]],
  ['required', { type: 'object', required: ['a'] }, { a: null }, {}],
  ['properties', { properties: { a: { type: 'string' } } }, { a: 'x', b: 1 }, { a: 1 }],
  ['no other properties', { properties: { a: {} }, additionalProperties: false }, { a: 1 }, { b: 1 }],
  ['other properties of a type', { additionalProperties: { type: 'string' } }, { a: 'x' }, { a: 1 }],
  ['names of properties', { propertyNames: { pattern: '^x-' } }, { 'x-a': 1 }, { a: 1 }],
  ['a reference', named, 'abc', 'abcd'],
  ['anyOf', { anyOf: [named, { type: 'null' }] }, null, 7],
  ['oneOf', { oneOf: [{ type: 'number' }, { type: 'integer' }] }, 1.5, 1],
  ['allOf', { allOf: [{ required: ['a'] }, { required: ['b'] }] }, { a: 1, b: 2 }, { a: 1 }],
  ['not', { not: { type: 'string' } }, 1, 'a'],
];

describe('checkSchema', () => {
  it.each(cases)('knows %s', (_title, schema, right, wrong) => {
    expect(checkSchema(schema, right, { document })).toEqual([]);
    expect(checkSchema(schema, wrong, { document })).not.toEqual([]);
  });

  it('finds a field that nobody described when objects are closed, however deep', () => {
    const schema = { properties: { data: { type: 'array', items: { properties: { a: {} } } } } };

    expect(checkSchema(schema, { data: [{ a: 1 }, { a: 1, b: 2 }] }, { document, isClosed: true })).toEqual([
      '/data/1: has fields that nobody described: b',
    ]);
  });

  it('refuses keywords, formats and references that it cannot follow', () => {
    for (const schema of [{ dependentRequired: {} }, { format: 'phone' }])
      expect(checkSchema(schema, {}, { document })).not.toEqual([]);
    expect(() => checkSchema({ $ref: '#/components/schemas/None' }, {}, { document })).toThrow('points to nothing');
  });
});

import { describe, expect, it } from '@jest/globals';
import { findClientFileProblems, renderClientFile } from './client-file.ts';
import type { OpenApiDocument } from './client-file.ts';
import { typeOf } from './schema-types.ts';
import type { Schema } from './schema-types.ts';

const document: OpenApiDocument = {
  components: {
    schemas: { Pack: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
    parameters: { Range: { name: 'Range', in: 'header', schema: { type: 'string' } } },
  },
  paths: {
    '/packs/{key}': {
      get: {
        operationId: 'getPack',
        summary: 'One pack.',
        parameters: [
          { $ref: '#/components/parameters/Range', name: '', in: '', schema: {} },
          { name: 'key', in: 'path', required: true, schema: { type: 'string' } },
        ],
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Pack' } } } },
          304: {},
          404: { content: { 'application/problem+json': { schema: {} } } },
        },
      },
    },
  },
};

describe('renderClientFile', () => {
  const text = renderClientFile(document);

  it('writes input, answers of success, and the route of each operation', () => {
    expect(text).toContain('export type Pack = {\n  name: string;\n};');
    expect(text).toContain(
      'export type GetPackInput = {\n  params: {\n    key: string;\n  };\n  headers?: {\n    Range?: string;\n  };\n};',
    );
    expect(text).toContain(
      'export type GetPackAnswer =\n  | { status: 200; headers: Headers; body: Pack }\n  | { status: 304; headers: Headers; body: null };',
    );
    expect(text).toContain("  getPack: { method: 'GET', path: '/packs/{key}' },");
  });

  it('is found to be outdated by a single character', () => {
    expect(findClientFileProblems(text, document)).toEqual([]);
    expect(findClientFileProblems(`${text} `, document)).toEqual([expect.stringContaining('--fix')]);
    expect(findClientFileProblems(null, document)).toEqual([expect.stringContaining('is missing')]);
  });
});

describe('typeOf', () => {
  const cases: [Schema, string][] = [
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ type: 'array', items: { type: ['string', 'null'] } }, '(string | null)[]'],
    [{ type: 'array', items: { enum: ["it's", 1, null] } }, "('it\\'s' | 1 | null)[]"],
    [{ anyOf: [{ type: 'boolean' }, { const: 0 }, { const: 0 }] }, 'boolean | 0'],
    [{ type: 'object', additionalProperties: { type: 'integer' } }, 'Record<string, number>'],
    [{ type: 'object', properties: { 'a-b': {} } }, "{\n  'a-b'?: unknown;\n}"],
    [{ type: 'object', additionalProperties: {} }, 'Record<string, unknown>'],
  ];

  it.each(cases)('writes %j as TypeScript', (schema, type) => {
    expect(typeOf(schema)).toBe(type);
  });

  it('does not let a description end its comment', () => {
    const schema = { type: 'object', properties: { a: { type: 'string', description: 'ends */ here' } } };
    expect(typeOf(schema)).toContain('/** ends * / here */');
  });
});

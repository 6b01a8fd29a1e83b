/** The document as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1) demands it, and as complete as a client needs it. */
import { describe, expect, it } from '@jest/globals';
import { errorRegistry } from '@omnizap/runtime';
import { createOperations } from './app.ts';
import { exampleFixtures, fillExample, sampleOf } from './example-fixtures.ts';
import { createStandInDeps } from './stand-in-deps.ts';
import { checkSchema } from './test/spec/check-schema.ts';
import { operationsOf, resolveRef } from './test/spec/spec.ts';
import type { Parameter, Schema, SpecDocument } from './test/spec/spec.ts';

const document = JSON.parse(JSON.stringify(createOperations(createStandInDeps()).document)) as SpecDocument;
const operations = operationsOf(document);
const byId = operations.map((operation) => [operation.id, operation] as const);

/** Every object inside of `value`, with the pointer to it. */
function objectsIn(value: unknown, at = '#'): [string, Record<string, unknown>][] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.entries(value).flatMap(([key, part]) => objectsIn(part, `${at}/${key}`));
  return Array.isArray(value) ? inside : [[at, value as Record<string, unknown>], ...inside];
}

/** Strings, lists and numbers inside of a schema of something sent to us that have no limit. */
function unlimited(schema: Schema, at: string): string[] {
  return objectsIn(schema, at).flatMap(([pointer, part]) => {
    const types = [part.type].flat();
    const has = (...keywords: string[]): boolean => keywords.some((keyword) => keyword in part);
    if (pointer.endsWith('/properties')) return [];
    if (types.includes('string') && !has('maxLength', 'pattern', 'enum', 'const', 'format')) return [pointer];
    if (types.includes('array') && !has('maxItems')) return [pointer];
    const isNumber = types.includes('integer') || types.includes('number');
    return isNumber && !has('enum', 'const') && !(has('minimum', 'exclusiveMinimum') && has('maximum'))
      ? [pointer]
      : [];
  });
}

describe('the OpenAPI document', () => {
  it('has the fields that OpenAPI 3.1 requires, and no reference that leads nowhere', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document).toMatchObject({ info: { title: expect.any(String), version: expect.any(String) } });
    for (const [pointer, { $ref }] of objectsIn(document)) {
      if (typeof $ref === 'string') expect([pointer, typeof resolveRef(document, $ref)]).toEqual([pointer, 'object']);
    }
    for (const name of Object.values(document.components).flatMap((group) => Object.keys(group)))
      expect(name).toMatch(/^[A-Za-z0-9._-]+$/);
  });

  it('has operations with ids of their own, under paths that name each of their parameters once', () => {
    const ids = operations.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(25);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, path, method, parameters } of operations) {
      expect(id).toMatch(/^[a-z][A-Za-z0-9]+$/);
      expect(path).toMatch(/^\/\S*$/);
      expect(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).toContain(method);
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted();
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      expect([id, inPath.map(({ name }) => name).toSorted()]).toEqual([id, named]);
      expect(inPath.every(({ required }) => required === true)).toBe(true);
      const places = parameters.map((parameter) => `${parameter.in} ${parameter.name.toLowerCase()}`);
      expect([id, new Set(places).size]).toEqual([id, places.length]);
    }
  });

  it('has schemas of JSON Schema 2020-12 only, none of them left from OpenAPI 3.0', () => {
    for (const [pointer, part] of objectsIn(document)) {
      if (pointer.endsWith('/properties')) continue;
      expect([pointer, 'nullable' in part, typeof part.exclusiveMinimum]).not.toEqual([pointer, true, 'boolean']);
      const { default: fallback, type } = part;
      if (fallback !== undefined && typeof type === 'string')
        expect([pointer, checkSchema(part, fallback, { document })]).toEqual([pointer, []]);
      if (Array.isArray(part.required)) {
        const properties = Object.keys(part.properties ?? {});
        expect([pointer, part.required.filter((name) => !properties.includes(name as string))]).toEqual([pointer, []]);
      }
    }
  });

  it.each(byId)(
    'says of %s what it does, with what it may answer and why',
    (_id, { responses, summary, tag, scopes }) => {
      expect(summary).toMatch(/^[A-Z].*\.$/s);
      expect(['public', 'owner', 'admin', 'ops']).toContain(tag);
      expect(Object.keys(responses).some((status) => /^2\d\d$/.test(status))).toBe(true);
      for (const [status, response] of Object.entries(responses)) {
        expect(status).toMatch(/^([1-5]\d\d|default)$/);
        expect(response.description).not.toBe('');
        expect([status, Object.keys(response.headers ?? {})]).toEqual([
          status,
          status === 'default' ? [] : expect.arrayContaining(['X-Request-Id']),
        ]);
        if (Number(status) < 400) continue;
        expect(Object.keys(response.content ?? {})).toEqual(['application/problem+json']);
        for (const code of response['x-problem-codes'] ?? [])
          expect(errorRegistry[code as keyof typeof errorRegistry].status).toBe(Number(status));
      }
      expect(Object.keys(responses)).toEqual(
        expect.arrayContaining(['400', '405', '503', ...(scopes === null ? [] : ['401', '403'])]),
      );
    },
  );

  it.each(byId)('describes what %s takes, and limits all of it', (id, { parameters, body }) => {
    const undescribed = parameters.filter(({ description }) => description === undefined || description === '');
    expect(undescribed.map(({ name }) => name)).toEqual([]);
    expect([
      ...parameters.flatMap(({ name, schema }) => unlimited(schema, `${id} ${name}`)),
      ...(body ? unlimited(body.schema, `${id} body`).filter((pointer) => !pointer.endsWith('/file')) : []),
    ]).toEqual([]);
  });

  it.each(byId)('has an example of %s that is as it says', (_id, { example, parameters, body, responses }) => {
    if (!example) throw new Error('It has no example: add one beside its handler (see OperationExample).');
    expect(Object.keys(responses)).toContain(String(example.status));
    const names = [...JSON.stringify(example).matchAll(/"[^"]*?\{(\w+)\}/g)].map(([, name = '']) => name);
    expect(names.filter((name) => !(name in exampleFixtures))).toEqual([]);

    const sample = fillExample(example, sampleOf);
    const given = (place: Parameter['in']): Record<string, unknown> =>
      ({ path: sample.params, query: sample.query, header: sample.headers })[place] ?? {};
    for (const parameter of parameters) {
      const value = given(parameter.in)[parameter.name];
      if (value === undefined) expect([parameter.name, parameter.required === true]).toEqual([parameter.name, false]);
      else {
        const typed = parameter.schema.type === 'string' && typeof value === 'number' ? String(value) : value;
        expect([parameter.name, checkSchema(parameter.schema, typed, { document })]).toEqual([parameter.name, []]);
      }
    }
    for (const place of ['path', 'query', 'header'] as const) {
      const known = parameters.filter((parameter) => parameter.in === place).map(({ name }) => name);
      expect(Object.keys(given(place)).filter((name) => !known.includes(name))).toEqual([]);
    }
    expect(body !== undefined).toBe(sample.body !== undefined || sample.multipart !== undefined);
    if (body) expect(checkSchema(body.schema, sample.body ?? sample.multipart, { document })).toEqual([]);
  });
});

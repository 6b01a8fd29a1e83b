/**
 * Checks a value against a JSON Schema (2020-12), as far as OpenAPI documents of ours use it. It shares nothing with the library
 * that made the schema. A keyword that it does not know is an error: a check that looks away would say that all is well.
 */
import { resolveRef } from './spec.ts';
import type { Schema } from './spec.ts';

/** Say something to people, or are checked by their neighbours. */
const silent = new Set([
  'description',
  'title',
  'default',
  'example',
  'examples',
  'deprecated',
  'readOnly',
  '$comment',
]);

export type SchemaOptions = {
  /** Where references point into. */
  document: object;
  /** Objects that do not speak of additionalProperties have none: for answers, so that a field that nobody described is found. */
  isClosed?: boolean;
};

/** What is wrong, each with its JSON pointer; empty when the value matches. */
export function checkSchema(schema: Schema | boolean, value: unknown, options: SchemaOptions, at = ''): string[] {
  if (typeof schema === 'boolean') return schema ? [] : [`${at}: nothing is allowed here`];
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    const check = checks[keyword];
    if (check) return check({ rule, value, schema, options, at });
    return silent.has(keyword) || keyword.startsWith('x-') ? [] : [`${at}: the keyword ${keyword} is not known here`];
  });
}

type Check = (call: { rule: unknown; value: unknown; schema: Schema; options: SchemaOptions; at: string }) => string[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const say = (isRight: boolean, at: string, problem: string): string[] => (isRight ? [] : [`${at}: ${problem}`]);
const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 120);

const isOfType: Record<string, (value: unknown) => boolean> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  array: Array.isArray,
  object: isObject,
};

const formats: Record<string, RegExp> = {
  'date-time': /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  uri: /^[a-z][a-z0-9+.-]*:\S+$/i,
  'uri-reference': /^\S*$/,
  binary: /^/,
};

/** Unicode code points, as JSON Schema counts. */
const lengthOf = (text: string): number => [...text].length;

/** Applies to values of one type, and lets others pass. */
const ofString = (test: (text: string, rule: never) => boolean, word: string): Check => {
  return ({ rule, value, at }) =>
    typeof value !== 'string' ? [] : say(test(value, rule as never), at, `${shown(value)} ${word} ${String(rule)}`);
};
const ofNumber = (test: (number: number, rule: number) => boolean, word: string): Check => {
  return ({ rule, value, at }) =>
    typeof value !== 'number' ? [] : say(test(value, rule as number), at, `${value} ${word} ${String(rule)}`);
};
const ofArray = (test: (length: number, rule: number) => boolean, word: string): Check => {
  return ({ rule, value, at }) =>
    !Array.isArray(value)
      ? []
      : say(test(value.length, rule as number), at, `${value.length} items: ${word} ${String(rule)}`);
};

const alternatives =
  (isRight: (matching: number) => boolean, word: string): Check =>
  ({ rule, value, options, at }) => {
    const outcomes = (rule as Schema[]).map((choice) => checkSchema(choice, value, options, at));
    const matching = outcomes.filter((problems) => problems.length === 0).length;
    return isRight(matching) ? [] : [`${at}: matches ${matching} of ${word}`, ...outcomes.flat()];
  };

const checks: Record<string, Check> = {
  $ref: ({ rule, value, options, at }) =>
    checkSchema(resolveRef(options.document, rule as string) as Schema, value, options, at),
  type({ rule, value, at }) {
    const types = [rule].flat() as string[];
    return say(
      types.some((type) => isOfType[type]?.(value) === true),
      at,
      `${shown(value)} is no ${types.join(' or ')}`,
    );
  },
  enum: ({ rule, value, at }) =>
    say((rule as unknown[]).includes(value), at, `${shown(value)} is none of ${shown(rule)}`),
  const: ({ rule, value, at }) => say(rule === value, at, `${shown(value)} is not ${shown(rule)}`),
  format({ rule, value, at }) {
    const format = formats[rule as string];
    if (!format) return [`${at}: the format ${String(rule)} is not known here`];
    return typeof value === 'string' ? say(format.test(value), at, `${shown(value)} is no ${String(rule)}`) : [];
  },
  pattern: ofString((text, rule: string) => new RegExp(rule, 'u').test(text), 'does not match'),
  minLength: ofString((text, rule: number) => lengthOf(text) >= rule, 'is shorter than'),
  maxLength: ofString((text, rule: number) => lengthOf(text) <= rule, 'is longer than'),
  minimum: ofNumber((number, rule) => number >= rule, 'is less than'),
  maximum: ofNumber((number, rule) => number <= rule, 'is more than'),
  exclusiveMinimum: ofNumber((number, rule) => number > rule, 'is not more than'),
  exclusiveMaximum: ofNumber((number, rule) => number < rule, 'is not less than'),
  multipleOf: ofNumber((number, rule) => Number.isInteger(number / rule), 'is no multiple of'),
  minItems: ofArray((length, rule) => length >= rule, 'fewer than'),
  maxItems: ofArray((length, rule) => length <= rule, 'more than'),
  uniqueItems: ({ rule, value, at }) =>
    rule === true && Array.isArray(value)
      ? say(new Set(value.map((item) => JSON.stringify(item))).size === value.length, at, 'has an item twice')
      : [],
  items: ({ rule, value, options, at }) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => checkSchema(rule as Schema, item, options, `${at}/${index}`))
      : [],
  properties: ({ rule, value, options, at, schema }) =>
    isObject(value)
      ? [
          ...Object.entries(rule as Record<string, Schema>).flatMap(([name, property]) =>
            Object.hasOwn(value, name) ? checkSchema(property, value[name], options, `${at}/${name}`) : [],
          ),
          ...(options.isClosed === true && !('additionalProperties' in schema)
            ? say(
                Object.keys(value).every((name) => Object.hasOwn(rule as object, name)),
                at,
                `has fields that nobody described: ${Object.keys(value)
                  .filter((name) => !Object.hasOwn(rule as object, name))
                  .join(', ')}`,
              )
            : []),
        ]
      : [],
  required: ({ rule, value, at }) =>
    isObject(value) ? (rule as string[]).flatMap((name) => say(Object.hasOwn(value, name), at, `has no ${name}`)) : [],
  additionalProperties({ rule, value, options, at, schema }) {
    if (!isObject(value)) return [];
    const known = schema.properties ?? {};
    return Object.keys(value)
      .filter((name) => !Object.hasOwn(known, name))
      .flatMap((name) => checkSchema(rule as Schema | boolean, value[name], options, `${at}/${name}`));
  },
  propertyNames: ({ rule, value, options, at }) =>
    isObject(value)
      ? Object.keys(value).flatMap((name) => checkSchema(rule as Schema, name, options, `${at}/${name} (its name)`))
      : [],
  minProperties: ({ rule, value, at }) =>
    isObject(value)
      ? say(Object.keys(value).length >= (rule as number), at, `has fewer than ${String(rule)} fields`)
      : [],
  maxProperties: ({ rule, value, at }) =>
    isObject(value)
      ? say(Object.keys(value).length <= (rule as number), at, `has more than ${String(rule)} fields`)
      : [],
  // A closed object would not know the fields of its neighbours.
  allOf: ({ rule, value, options, at }) =>
    (rule as Schema[]).flatMap((part) => checkSchema(part, value, { ...options, isClosed: false }, at)),
  anyOf: alternatives((matching) => matching > 0, 'anyOf'),
  oneOf: alternatives((matching) => matching === 1, 'oneOf'),
  not: ({ rule, value, options, at }) =>
    say(checkSchema(rule as Schema, value, options, at).length > 0, at, 'matches what it must not'),
};

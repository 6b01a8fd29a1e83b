/** A JSON Schema as people read it: the fields of an object one below the other, with their types and limits in words. */
import { html, type Content } from '../html.ts';
import type { Schema } from './api-description.ts';

/** Deeper than any schema of ours; a reference is a link, so nothing goes round in circles. */
const deepest = 8;

export function schemaView(schema: Schema, depth = 0): Content {
  const inner = innerOf(schema);
  const fields = Object.entries((inner.properties ?? {}) as Record<string, Schema>);
  if (fields.length === 0 || depth > deepest) return html`<p class="schema-type">${typeWords(schema)}</p>`;
  const required = new Set((inner.required ?? []) as string[]);
  return html`
    <dl class="schema">
      ${fields.map(
        ([name, field]) => html`
          <div>
            <dt>
              <code>${name}</code> <span class="schema-type">${typeWords(field)}</span>
              ${required.has(name) ? null : html`<span class="optional">optional</span>`}
            </dt>
            <dd>
              ${typeof field.description === 'string' ? html`<span>${field.description}</span>` : null}
              ${hasFields(field) ? schemaView(field, depth + 1) : null}
            </dd>
          </div>
        `,
      )}
    </dl>
  `;
}

/** Of a list, what it holds; of a choice with null, the other one. */
function innerOf(schema: Schema): Schema {
  if (schema.items !== undefined) return innerOf(schema.items as Schema);
  const choices = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
  return choices?.find((one) => one.type !== 'null') ?? schema;
}

const hasFields = (schema: Schema): boolean => Object.keys(innerOf(schema).properties ?? {}).length > 0;

/** The type with its limits: a link where the schema has a name. */
export function typeWords(schema: Schema): Content {
  if (typeof schema.$ref === 'string') {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return html`<a href=${`#schema-${name}`}>${name}</a>`;
  }
  if (schema.items !== undefined)
    return html`<span>list of ${typeWords(schema.items as Schema)}${limitWords(schema)}</span>`;
  const choices = (schema.anyOf ?? schema.oneOf ?? schema.allOf) as Schema[] | undefined;
  if (choices)
    return html`<span
      >${choices.map((one, index) => [index === 0 ? null : ' or ', typeWords(one)] as Content[])}</span
    >`;
  if (Array.isArray(schema.enum)) return html`<span>${schema.enum.map(String).join(' | ')}${limitWords(schema)}</span>`;
  if ('const' in schema) return JSON.stringify(schema.const);
  const type = ([schema.type ?? 'anything'].flat() as string[]).join(' or ');
  return html`<span
    >${type}${typeof schema.format === 'string' ? ` (${schema.format})` : ''}${limitWords(schema)}</span
  >`;
}

const limits: [keyword: string, words: (value: string) => string][] = [
  ['minimum', (value) => `at least ${value}`],
  ['exclusiveMinimum', (value) => `more than ${value}`],
  ['maximum', (value) => `at most ${value}`],
  ['minLength', (value) => `${value} characters or more`],
  ['maxLength', (value) => `${value} characters at most`],
  ['minItems', (value) => `${value} items or more`],
  ['maxItems', (value) => `${value} items at most`],
  ['pattern', (value) => `matches ${value}`],
  ['default', (value) => `default ${value}`],
];

function limitWords(schema: Schema): string {
  const words = limits.flatMap(([keyword, say]) =>
    schema[keyword] === undefined
      ? []
      : [say(typeof schema[keyword] === 'string' ? schema[keyword] : JSON.stringify(schema[keyword]))],
  );
  return words.length === 0 ? '' : `, ${words.join(', ')}`;
}

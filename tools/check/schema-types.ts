/** JSON Schema (2020-12, as far as our OpenAPI document uses it) as TypeScript types. */

export type Schema = { [keyword: string]: unknown };

type Options = {
  /** Of the line that the type begins on, in spaces. */
  indent?: number;
  /** What bytes are. */
  binary?: string;
};

/** The type of what matches `schema`, over several lines where it has fields. @throws Error for what it cannot express */
export function typeOf(schema: Schema, options: Options = {}): string {
  if (typeof schema.$ref === 'string') return schema.$ref.replace('#/components/schemas/', '');
  if ('const' in schema) return literal(schema.const);
  if (Array.isArray(schema.enum)) return (schema.enum as unknown[]).map(literal).join(' | ');
  for (const [keyword, joint] of [
    ['anyOf', ' | '],
    ['oneOf', ' | '],
    ['allOf', ' & '],
  ] as const) {
    const parts = schema[keyword] as Schema[] | undefined;
    if (parts) return [...new Set(parts.map((part) => grouped(typeOf(part, options))))].join(joint);
  }
  const types = [schema.type].flat() as (string | undefined)[];
  return types.map((type) => typeOfOne(type, schema, options)).join(' | ');
}

function typeOfOne(type: string | undefined, schema: Schema, options: Options): string {
  switch (type) {
    case undefined:
      return 'unknown';
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
      return schema.format === 'binary' ? (options.binary ?? 'string') : 'string';
    case 'boolean':
    case 'null':
      return type;
    case 'array':
      return `${grouped(typeOf((schema.items ?? {}) as Schema, options))}[]`;
    case 'object':
      return objectType(schema, options);
    default:
      throw new Error(`A schema of type ${type} cannot be written as TypeScript`);
  }
}

function objectType(schema: Schema, options: Options): string {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const others = schema.additionalProperties as Schema | boolean | undefined;
  const rest =
    others === undefined || others === false
      ? ''
      : `Record<string, ${others === true ? 'unknown' : typeOf(others, options)}>`;
  if (properties.length === 0) return rest === '' ? 'Record<string, never>' : rest;
  const required = new Set((schema.required ?? []) as string[]);
  const fields = properties.map(([name, property]) => ({
    name,
    isOptional: !required.has(name),
    type: (indent: number) => typeOf(property, { ...options, indent }),
    description: property.description as string | undefined,
  }));
  const own = recordType(fields, options.indent);
  return rest === '' ? own : `${own} & ${rest}`;
}

export type Field = {
  name: string;
  isOptional: boolean;
  type: (indent: number) => string;
  description?: string | undefined;
};

/** An object type, one field a line. */
export function recordType(fields: Field[], indent = 0): string {
  const inner = ' '.repeat(indent + 2);
  const lines = fields.flatMap(({ name, isOptional, type, description }) => [
    ...(description === undefined ? [] : [`${inner}/** ${commentText(description)} */`]),
    `${inner}${propertyName(name)}${isOptional ? '?' : ''}: ${type(indent + 2)};`,
  ]);
  return ['{', ...lines, `${' '.repeat(indent)}}`].join('\n');
}

/** A description must not end the comment that it stands in. */
export function commentText(description: string): string {
  return description.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ').trim();
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function literal(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value);
}

/** In brackets where what follows would bind to the last part only. */
function grouped(type: string): string {
  return /[|&]/.test(type.replaceAll(/\{[^]*\}|'[^']*'/g, '')) ? `(${type})` : type;
}

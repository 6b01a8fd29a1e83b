/** libs/client/src/generated/operations.ts: types and routes of every operation, from the OpenAPI document of this code. */
import { commentText, quoted, recordType, typeOf } from './schema-types.ts';
import type { Field, Schema } from './schema-types.ts';

/** Where the file is, relative to the project's root. */
export const clientFilePath = 'libs/client/src/generated/operations.ts';

type Parameter = { $ref?: string; name: string; in: string; required?: boolean; description?: string; schema: Schema };
type Content = Record<string, { schema?: Schema }>;
type Operation = {
  operationId: string;
  summary: string;
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content; 'x-problem-codes'?: string[] }>;
};
export type OpenApiDocument = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; parameters: Record<string, Parameter> };
};

/** The file's whole text; the same document gives the same text. */
export function renderClientFile({ paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
  const find = (parameter: Parameter): Parameter =>
    parameter.$ref === undefined
      ? parameter
      : (components.parameters[parameter.$ref.split('/').at(-1) ?? ''] ?? parameter);
  const blocks = operations.map((operation) => {
    const parameters = (operation.parameters ?? []).map(find);
    return [
      `export type ${inputName(operation)} = ${inputType(inputFields(operation, parameters))};`,
      `export type ${answerName(operation)} =${answerType(operation)};`,
    ].join('\n');
  });
  return [
    '/** Generated from the OpenAPI document by `npm run check -- --fix --only docs`: change the operations in apps/api. */',
    '',
    ...Object.entries(components.schemas).map(([name, schema]) => `export type ${name} = ${typeOf(schema)};\n`),
    ...blocks.map((block) => `${block}\n`),
    '/** One method for each operation. */',
    'export type Operations = {',
    ...operations.flatMap((operation) => [
      `  /** ${commentText(operation.summary)} */`,
      `  ${operation.operationId}: { input: ${inputName(operation)}; answer: ${answerName(operation)} };`,
    ]),
    '};',
    '',
    '/** Where each operation is. */',
    'export const routes = {',
    ...operations.map(
      ({ operationId, method, path }) => `  ${operationId}: { method: ${quoted(method)}, path: ${quoted(path)} },`,
    ),
    '} as const satisfies Record<keyof Operations, { method: string; path: string }>;',
    '',
  ].join('\n');
}

const typeName = ({ operationId }: Operation): string => operationId.replace(/^./, (first) => first.toUpperCase());
const inputName = (operation: Operation): string => `${typeName(operation)}Input`;
const answerName = (operation: Operation): string => `${typeName(operation)}Answer`;

function inputFields({ requestBody }: Operation, parameters: Parameter[]): Field[] {
  const places = { path: 'params', query: 'query', header: 'headers' };
  const fromPlaces = Object.entries(places).flatMap(([place, name]): Field[] => {
    const fields = parameters
      .filter((parameter) => parameter.in === place)
      .map((parameter) => ({
        name: parameter.name,
        isOptional: parameter.required !== true,
        type: (indent: number) => typeOf(parameter.schema, { indent }),
        description: parameter.description,
      }));
    if (fields.length === 0) return [];
    const isOptional = fields.every((field) => field.isOptional);
    return [{ name, isOptional, type: (indent) => recordType(fields, indent) }];
  });
  const [[mediaType, media] = []] = Object.entries(requestBody?.content ?? {});
  if (mediaType === undefined) return fromPlaces;
  const name = mediaType === 'multipart/form-data' ? 'form' : 'body';
  const body: Field = {
    name,
    isOptional: false,
    type: (indent) => typeOf(media?.schema ?? {}, { indent, binary: 'Blob' }),
  };
  return [...fromPlaces, body];
}

/** `object` where nothing is taken: `{}` would let everything in. */
function inputType(fields: Field[]): string {
  return fields.length === 0 ? 'object' : recordType(fields);
}

/** A union over the statuses of success: what is refused is thrown. */
function answerType({ responses }: Operation): string {
  return Object.entries(responses)
    .filter(([status]) => Number(status) < 400)
    .map(([status, { content }]) => {
      const [media] = Object.values(content ?? {});
      const body = media ? typeOf(media.schema ?? {}, { indent: 2, binary: 'Blob' }) : 'null';
      return `\n  | { status: ${status}; headers: Headers; body: ${body} }`;
    })
    .join('');
}

/** One line when the file is not what the document makes of it. */
export function findClientFileProblems(written: string | null, document: OpenApiDocument): string[] {
  if (written === renderClientFile(document)) return [];
  const what = written === null ? 'is missing' : 'is not what the OpenAPI document says';
  return [`${clientFilePath} ${what}: npm run check -- --fix --only docs writes it again`];
}

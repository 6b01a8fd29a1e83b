/** The OpenAPI document as its page shows it: operations by tag, references of parameters resolved, examples with samples in them. */
import { fillExample, sampleOf } from '../../example-fixtures.ts';
import type { OperationExample } from '../../operation.ts';

export type Schema = { [keyword: string]: unknown };
export type ParameterView = { name: string; place: string; isRequired: boolean; description: string; schema: Schema };
export type AnswerView = { status: string; description: string; headers: string[]; schema?: Schema; codes: string[] };
export type OperationView = {
  id: string;
  method: string;
  path: string;
  tag: string;
  summary: string;
  access: string;
  parameters: ParameterView[];
  body?: { contentType: string; schema: Schema };
  answers: AnswerView[];
  curl: string | null;
};
export type ApiDescription = {
  tags: { name: string; description: string; operations: OperationView[] }[];
  schemas: [name: string, schema: Schema][];
};

type Parameter = { $ref?: string; name: string; in: string; required?: boolean; description?: string; schema: Schema };
type Operation = {
  operationId: string;
  summary: string;
  tags: string[];
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<
    string,
    {
      description: string;
      headers?: object;
      content?: Record<string, { schema?: Schema }>;
      'x-problem-codes'?: string[];
    }
  >;
  'x-example'?: OperationExample;
};
type Document = {
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; parameters: Record<string, Parameter> };
};

/** `document`: what /openapi.json answers. */
export function describeApi(document: object): ApiDescription {
  const { tags, paths, components } = document as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => viewOf(method, path, operation, components.parameters)),
  );
  return {
    tags: tags.map((tag) => ({ ...tag, operations: operations.filter((one) => one.tag === tag.name) })),
    schemas: Object.entries(components.schemas),
  };
}

function viewOf(method: string, path: string, operation: Operation, shared: Record<string, Parameter>): OperationView {
  const [[contentType, media] = []] = Object.entries(operation.requestBody?.content ?? {});
  const view = {
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    tag: operation.tags[0] ?? '',
    summary: operation.summary,
    access: accessOf(operation.security),
    parameters: (operation.parameters ?? []).map((given) => {
      const parameter = given.$ref === undefined ? given : (shared[given.$ref.split('/').at(-1) ?? ''] ?? given);
      const { name, required, description = '', schema } = parameter;
      return { name, place: parameter.in, isRequired: required === true, description, schema };
    }),
    ...(contentType === undefined || !media ? {} : { body: { contentType, schema: media.schema } }),
    answers: Object.entries(operation.responses)
      .filter(([status]) => status !== 'default')
      .map(([status, { description, headers = {}, content = {}, 'x-problem-codes': codes = [] }]) => {
        const [answer] = Object.values(content);
        return {
          ...{ status, description, headers: Object.keys(headers), codes },
          ...(answer?.schema && codes.length === 0 ? { schema: answer.schema } : {}),
        };
      }),
  };
  const example = operation['x-example'];
  return { ...view, curl: example ? curlOf(view, fillExample(example, sampleOf)) : null };
}

function accessOf(security: Operation['security']): string {
  if (!security) return 'Anybody';
  const scopes = security.flatMap((choice) => Object.values(choice).flat());
  return scopes.length === 0 ? 'Anybody; a key shows its owner more' : `A key with scope ${scopes.join(', ')}`;
}

/** For a shell: API is the address of the API, KEY the caller's key. */
function curlOf(
  { method, path, access }: { method: string; path: string; access: string },
  example: OperationExample,
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => String(example.params?.[name] ?? name));
  const search = new URLSearchParams(
    Object.entries(example.query ?? {}).flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)])),
  ).toString();
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}"$API${filled}${search === '' ? '' : `?${search}`}"`,
    ...(access.startsWith('A key') ? ['-H "Authorization: Bearer $KEY"'] : []),
    ...Object.entries(example.headers ?? {}).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(example.body ? [`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(example.body))}`] : []),
    ...Object.entries(example.multipart ?? {}).map(
      ([name, value]) => `-F ${quoted(`${name}=${isFile(value) ? '@' : ''}${value}`)}`,
    ),
  ];
  return lines.join(' \\\n  ');
}

function isFile(value: string): boolean {
  return value === sampleOf('newPicture') || value === sampleOf('newPackFile');
}

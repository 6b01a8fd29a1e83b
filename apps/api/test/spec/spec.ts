/** Reads an OpenAPI 3.1 document as a client would: operations with their references resolved. It knows nothing of our schemas. */

export type Schema = { [keyword: string]: unknown };
export type Parameter = {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description?: string;
  schema: Schema;
};
export type Header = { required?: boolean; schema: Schema; description?: string };
export type SpecResponse = {
  description: string;
  headers?: Record<string, Header>;
  content?: Record<string, { schema?: Schema }>;
  'x-problem-codes'?: string[];
};
export type Example = {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
  headers?: Record<string, unknown>;
  body?: Record<string, unknown>;
  multipart?: Record<string, unknown>;
  status: number;
};
export type SpecOperation = {
  id: string;
  method: string;
  path: string;
  summary: string;
  tag: string;
  /** Scopes of the key that it needs; null: none at all. */
  scopes: string[] | null;
  parameters: Parameter[];
  body?: { contentType: string; schema: Schema };
  responses: Record<string, SpecResponse>;
  example?: Example;
};
export type SpecDocument = {
  openapi: string;
  paths: Record<string, Record<string, Record<string, unknown>>>;
  components: Record<string, Record<string, unknown>>;
};

/** What `#/a/b` points to. @throws Error when there is nothing */
export function resolveRef(document: object, ref: string): unknown {
  const steps = ref.replace(/^#\//, '').split('/');
  const found = steps.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')],
    document,
  );
  if (!ref.startsWith('#/') || found === undefined) throw new Error(`${ref} points to nothing`);
  return found;
}

/** The operations in the document's order. */
export function operationsOf(document: SpecDocument): SpecOperation[] {
  const resolved = <T>(value: unknown): T => {
    const { $ref } = value as { $ref?: string };
    return ($ref === undefined ? value : resolveRef(document, $ref)) as T;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, written]) => {
      const raw = written as {
        operationId: string;
        summary?: string;
        tags: string[];
        security?: Record<string, string[]>[];
        parameters?: unknown[];
        requestBody?: { content: Record<string, { schema: Schema }> };
        responses: Record<string, SpecResponse>;
        'x-example'?: Example;
      };
      const [[contentType, media] = []] = Object.entries(raw.requestBody?.content ?? {});
      return {
        id: raw.operationId,
        method: method.toUpperCase(),
        path,
        summary: raw.summary ?? '',
        tag: raw.tags[0] ?? '',
        scopes: scopesOf(raw.security),
        parameters: (raw.parameters ?? []).map((parameter) => resolved<Parameter>(parameter)),
        ...(contentType === undefined || !media ? {} : { body: { contentType, schema: media.schema } }),
        responses: Object.fromEntries(
          Object.entries(raw.responses).map(([status, response]) => [
            status,
            {
              ...response,
              headers: Object.fromEntries(
                Object.entries(response.headers ?? {}).map(([name, header]) => [name, resolved<Header>(header)]),
              ),
            },
          ]),
        ),
        ...(raw['x-example'] ? { example: raw['x-example'] } : {}),
      };
    }),
  );
}

function scopesOf(security: Record<string, string[]>[] | undefined): string[] | null {
  if (!security || security.some((choice) => Object.keys(choice).length === 0)) return null;
  return security.flatMap((choice) => Object.values(choice).flat());
}

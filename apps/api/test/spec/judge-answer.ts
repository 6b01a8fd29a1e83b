/** What every answer must keep, whatever was asked: see the list in docs of `judge`. */
import { errorRegistry } from '@omnizap/runtime';
import { checkSchema } from './check-schema.ts';
import type { WireAnswer, WireRequest } from './send.ts';
import type { SpecDocument, SpecOperation, SpecResponse } from './spec.ts';

const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;
const problemType = 'application/problem+json; charset=utf-8';
/** Of an error's stack, as text or inside of JSON. */
const stackPattern = /(\n|\\n)\s+at \S+/;

export type Judge = {
  /** The operation whose route takes the request; null when there is none with this path and method. */
  operationFor: (method: string, path: string) => SpecOperation | null;
  /**
   * What is wrong with the answer, in words. It must not be a failure of the server; its status is documented for the operation and
   * its body is as the document says, a refusal being a problem of the registry with the code that the operation may use; the
   * headers that are promised are there; and nothing of the inside shows: no stack, no path of this machine, no owner.
   */
  judge: (wire: WireRequest, answer: WireAnswer) => string[];
};

type JudgeOptions = { document: SpecDocument; operations: SpecOperation[]; secrets: string[] };

export function createJudge({ document, operations, secrets }: JudgeOptions): Judge {
  const routes = operations.map((operation) => ({ operation, pattern: patternOf(operation.path) }));
  const openness = (operation: SpecOperation): number => operation.path.split('{').length;
  routes.sort((a, b) => openness(a.operation) - openness(b.operation));

  const atPath = (path: string): SpecOperation[] => {
    const bare = path.replace(/[?#].*$/s, '').replace(/(.)\/$/, '$1');
    const found = routes.filter(({ pattern }) => pattern.test(bare)).map(({ operation }) => operation);
    // The path with the fewest parameters is the one that was meant, for every method that it has.
    const [first] = found;
    return found.filter((one) => one.path === first?.path || openness(one) > openness(first as SpecOperation));
  };

  function operationFor(method: string, path: string): SpecOperation | null {
    const wanted = method === 'HEAD' ? 'GET' : method;
    return atPath(path).find((operation) => operation.method === wanted) ?? null;
  }

  function judge(wire: WireRequest, answer: WireAnswer): string[] {
    const operation = operationFor(wire.method, wire.path);
    const text = answer.bytes.toString('utf8');
    const problems = [...judgeRequestId(wire, answer), ...judgeSecrets(operation, answer, text, secrets)];
    if (answer.status >= 500) return [...problems, `failed with ${answer.status}: ${text.slice(0, 300)}`];
    if (!operation) return [...problems, ...judgeStray(wire, answer, text, atPath(wire.path))];
    const response = operation.responses[String(answer.status)];
    if (!response) return [...problems, `${operation.id} does not document ${answer.status}: ${text.slice(0, 300)}`];
    for (const [name, header] of Object.entries(response.headers ?? {}))
      if (header.required === true && answer.headers[name.toLowerCase()] === undefined)
        problems.push(`${answer.status} without the header ${name}`);
    if (wire.method === 'HEAD') return answer.bytes.length === 0 ? problems : [...problems, 'HEAD with a body'];
    return [...problems, ...judgeBody(response, answer, text)];
  }

  function judgeBody(response: SpecResponse, answer: WireAnswer, text: string): string[] {
    if (answer.status >= 400) return judgeProblem(answer, text, response['x-problem-codes'] ?? []);
    const [[mediaType, media] = []] = Object.entries(response.content ?? {});
    if (mediaType === undefined || !media)
      return text === '' ? [] : [`${answer.status} with a body that is not documented`];
    const found = String(answer.headers['content-type']).split(';')[0];
    if (found !== mediaType) return [`Content-Type ${found}, documented is ${mediaType}`];
    if (!mediaType.endsWith('json')) return [];
    const value = parsed(text);
    if (value === undefined) return ['a body that is no JSON'];
    return checkSchema(media.schema ?? {}, value, { document, isClosed: true }).map((one) => `body: ${one}`);
  }

  function judgeProblem(answer: WireAnswer, text: string, allowed: string[] | null): string[] {
    const value = parsed(text) as Record<string, unknown> | undefined;
    if (answer.headers['content-type'] !== problemType || value === undefined)
      return [`${answer.status} is no problem document: ${text.slice(0, 200)}`];
    const schema = { $ref: '#/components/schemas/Problem' };
    const code = String(value.code);
    const entry = Object.hasOwn(errorRegistry, code) ? errorRegistry[code as keyof typeof errorRegistry] : undefined;
    return [
      ...checkSchema(schema, value, { document, isClosed: true }).map((one) => `problem: ${one}`),
      ...(entry?.status === answer.status && value.status === answer.status
        ? []
        : [`${answer.status} with code ${code}`]),
      ...(value.request_id === answer.headers['x-request-id'] ? [] : ['request_id is not X-Request-Id']),
      ...(allowed === null || allowed.includes(code) ? [] : [`the code ${code} is not documented for this operation`]),
    ];
  }

  /** Where no operation is: 404, 405 with what is possible, or a URL that cannot be read. */
  function judgeStray(wire: WireRequest, answer: WireAnswer, text: string, others: SpecOperation[]): string[] {
    const isMethod = others.length > 0;
    const expected = isMethod ? [400, 405, 431] : [400, 404, 405, 431];
    if (wire.method === 'OPTIONS' && answer.status === 204) return [];
    if (!expected.includes(answer.status)) return [`${answer.status} where no operation is: ${text.slice(0, 200)}`];
    if (answer.status === 405 && answer.headers.allow === undefined) return ['405 without Allow'];
    return wire.method === 'HEAD' ? [] : judgeProblem(answer, text, null);
  }

  return { operationFor, judge };
}

function patternOf(path: string): RegExp {
  const parts = path.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]+?')}$`, 'i');
}

function judgeRequestId(wire: WireRequest, { headers }: WireAnswer): string[] {
  const given = wire.headers['x-request-id'];
  const found = headers['x-request-id'];
  if (typeof found !== 'string' || !requestIdPattern.test(found)) return [`X-Request-Id is ${String(found)}`];
  return given !== undefined && requestIdPattern.test(given) && found !== given
    ? ['X-Request-Id is not the client’s']
    : [];
}

/** Administrators see stacks of dead letters and who did what; nobody else does, and no refusal has any of it. */
function judgeSecrets(
  operation: SpecOperation | null,
  { status }: WireAnswer,
  text: string,
  secrets: string[],
): string[] {
  if (operation?.tag === 'admin' && status < 400) return [];
  const shown = secrets.find((secret) => text.includes(secret));
  return [
    ...(shown === undefined ? [] : [`shows ${shown}`]),
    ...(stackPattern.test(text) ? ['shows a stack'] : []),
    ...(text.includes('node_modules') ? ['shows a path of the machine'] : []),
  ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * As much of PromQL as it takes to say which metrics a query names, by which labels, within which functions. It finds no fault with
 * a query: promtool does that. Variables of Grafana are left as they are.
 */

export type Matcher = { label: string; operator: '=' | '!=' | '=~' | '!~'; value: string };

export type Selector = {
  metric: string;
  matchers: readonly Matcher[];
  /** What stands in its brackets; undefined without any. */
  range: string | undefined;
  /** The function or aggregation that it is the argument of; undefined when it is none's. */
  within: string | undefined;
};

export type ParsedQuery = {
  selectors: readonly Selector[];
  /** Labels of by, without, on, ignoring, group_left and group_right. */
  grouping: readonly string[];
};

const words = new Set(['and', 'or', 'unless', 'atan2', 'bool', 'offset', 'inf', 'nan']);
const listWords = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

const tokenPattern =
  /\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\$\{\w+\}|\$\w+|[a-zA-Z_:][\w:]*|\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:ms|[smhdwy])?|=~|!~|!=|==|>=|<=|[-+*/%^(){}[\],=<>@:.]/gy;

/** @throws Error where it is no PromQL at all: a character that means nothing, a bracket without its other half */
export function parseQuery(query: string): ParsedQuery {
  const tokens = tokensOf(query);
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  /** What each open parenthesis belongs to: a function's name, or '' for one that only groups. */
  const open: string[] = [];
  let index = 0;

  const peek = (): string | undefined => tokens[index];
  const take = (expected?: string): string => {
    const token = tokens[index++];
    if (token === undefined) throw new Error(`it ends where ${expected ?? 'something'} is missing: ${query}`);
    if (expected !== undefined && token !== expected)
      throw new Error(`${token} stands where ${expected} is expected: ${query}`);
    return token;
  };
  const listUntil = (end: string): string[] => {
    const items: string[] = [];
    while (peek() !== end) {
      items.push(take());
      if (peek() === ',') take();
    }
    take(end);
    return items;
  };
  const readMatchers = (): Matcher[] => {
    const matchers: Matcher[] = [];
    while (peek() !== '}') {
      const label = take();
      const operator = take();
      if (!isOperator(operator)) throw new Error(`${operator} compares no label: ${query}`);
      matchers.push({ label, operator, value: take().slice(1, -1) });
      if (peek() === ',') take();
    }
    take('}');
    return matchers;
  };
  const readRange = (): string => {
    take('[');
    let text = '';
    while (peek() !== ']') text += take();
    take(']');
    return text;
  };
  /** After `sum by (le)` or `sum` the parenthesis belongs to sum. */
  let called = '';

  while (index < tokens.length) {
    const token = take();
    if (token === '(') {
      open.push(called);
      called = '';
    } else if (token === ')') {
      if (open.pop() === undefined) throw new Error(`a parenthesis is closed that was not opened: ${query}`);
    } else if (listWords.has(token)) {
      if (peek() === '(') {
        take();
        grouping.push(...listUntil(')'));
      }
    } else if (/^[a-zA-Z_:]/.test(token) && !words.has(token.toLowerCase())) {
      const next = peek();
      if (next === '(' || next === 'by' || next === 'without') {
        called = token;
        continue;
      }
      const matchers = next === '{' ? (take(), readMatchers()) : [];
      const range = peek() === '[' ? readRange() : undefined;
      selectors.push({ metric: token, matchers, range, within: open.at(-1) || undefined });
    } else if (token === '{' || token === '}' || token === ']') {
      throw new Error(`${token} stands where no metric is before it: ${query}`);
    } else if (token === '[') {
      // A subquery: of what stands in the parentheses before it.
      index -= 1;
      readRange();
    }
  }
  if (open.length > 0) throw new Error(`a parenthesis is not closed: ${query}`);
  return { selectors, grouping };
}

function tokensOf(query: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < query.length) {
    const at = tokenPattern.lastIndex;
    const token = tokenPattern.exec(query)?.[0];
    if (token === undefined) throw new Error(`"${query.slice(at, at + 10)}" means nothing in PromQL: ${query}`);
    if (token.trim() !== '') tokens.push(token);
  }
  return tokens;
}

function isOperator(text: string): text is Matcher['operator'] {
  return ['=', '!=', '=~', '!~'].includes(text);
}

/** Reads the names out of runbooks/contract.md. It understands how that page is written, and no more. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const contractPath = path.join(import.meta.dirname, '../../../runbooks/contract.md');

export type Contract = {
  /** The lines of one numbered section, without what is marked *(later)* in them. */
  section: (number: number) => string;
};

export async function readContract(): Promise<Contract> {
  const text = await readFile(contractPath, 'utf8');
  const sections = text.split(/^## (?=\d+\. )/m).slice(1);
  return {
    section(number) {
      const found = sections.find((section) => section.startsWith(`${number}. `));
      if (found === undefined) throw new Error(`The contract has no section ${number}`);
      return found;
    },
  };
}

/** Takes out names that are reserved for later: the quoted one before the mark, or everything behind `*(later)*:`. */
export function withoutLater(text: string): string {
  return text
    .replace(/\*\(later\)\*:.*$/gm, '')
    .replace(/`[^`]*`(\([^()]*\))? ?\*\(later[^)]*\)\*/g, '')
    .replace(/^.*?\*\(later\)\*: .*$/gm, '');
}

/** `a,b{c,d},e[]` as paths: `a`, `b.c`, `b.d`, `e`. Notes in round brackets are left out. */
export function fieldPaths(list: string): string[] {
  const plain = list.replace(/\([^)]*\)/g, '').replaceAll('[]', '');
  const paths: string[] = [];
  const parents: string[] = [];
  for (const [, name = '', mark = ''] of plain.matchAll(/([\w]*)([,{}]|$)/g)) {
    if (name !== '') {
      if (mark === '{') parents.push(name);
      else paths.push([...parents, name].join('.'));
    }
    if (mark === '}') parents.pop();
  }
  return paths.toSorted();
}

/** The paths of a JSON object's own fields, in the form of `fieldPaths`; arrays and null are leaves. */
export function pathsOf(value: object, prefix = ''): string[] {
  return Object.entries(value)
    .flatMap(([name, field]: [string, unknown]) =>
      typeof field === 'object' && field !== null && !Array.isArray(field)
        ? pathsOf(field, `${prefix}${name}.`)
        : [`${prefix}${name}`],
    )
    .toSorted();
}

/** Replaces each `{A,B}` by its alternatives: `X_{A,B}` is `X_A` and `X_B`. */
export function expand(text: string): string[] {
  const [, before = '', choices = '', after = ''] = /^([^{]*)\{([^}]*)\}(.*)$/s.exec(text) ?? [];
  if (choices === '') return [text];
  return choices.split(/[,|]/).flatMap((choice) => expand(`${before}${choice}${after}`));
}

/** `METHOD /path` for each operation of section 4, parameters as `{}`. */
export function operationsOf(section: string): Set<string> {
  const operations = new Set<string>(['GET /openapi.json']);
  const add = (method: string, written: string): void => {
    const bare = written.replace(/\?[^,}]*/g, '');
    const [, stem = '', last = ''] = /^(.*\/)([^/]*)$/.exec(bare) ?? [];
    for (const name of last.split('|')) {
      for (const one of expand(`${stem}${name}`)) operations.add(`${method} ${one.replace(/:\w+/g, '{}')}`);
    }
  };
  for (const line of section.split('\n')) {
    const admin = line.includes('under `/api/admin`');
    for (const [quote, name = ''] of line.matchAll(/`([^`]+)`/g)) {
      const [, methods = '', written = ''] = /^(GET|POST|PUT|PATCH|DELETE)\s+(\S+)/.exec(name) ?? [];
      if (methods === '') {
        const lone = /^(GET|PUT|PATCH|POST|DELETE)$/.exec(name)?.[1];
        // "`PATCH` and `DELETE /path`": the first shares the path of the second.
        const shared = new RegExp(`${escape(quote)} and \`\\w+ (/[^\`]+)\``).exec(line)?.[1];
        if (lone !== undefined && shared !== undefined) add(lone, shared);
      } else if (written.startsWith('...')) add(methods, `/api/sticker-packs/:packKey${written.slice(3)}`);
      else if (written.startsWith('/api') || !admin) add(methods, written);
    }
    if (admin) {
      for (const [, resource = '', detail = ''] of line.matchAll(/`([a-z-]+)` \(((?:[^()]|\([^()]*\))*)\)/g)) {
        for (const [, method = '', suffix = ''] of detail.matchAll(
          /`(GET|POST|PUT|PATCH|DELETE)(?: (\/:?[\w/:]+))?/g,
        )) {
          add(method, `/api/admin/${resource}${suffix}`);
        }
      }
    }
  }
  return operations;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

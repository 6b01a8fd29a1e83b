import { describe, expect, it } from '@jest/globals';

import { findTextProblems } from './project-text.ts';

/** The samples are put together here, so that the gate does not find its own test. */
const absolute = (...parts: string[]) => ['', ...parts].join('/');
const problemsOf = (text: string, path = 'libs/a/src/b.ts') => findTextProblems({ path, text });

describe('findTextProblems', () => {
  it.each([
    ['a home folder', `cd ${absolute('home', 'ana', 'stickers')}`],
    ['a Mac home folder', `"${absolute('Users', 'ana')}"`],
    ["root's home folder", `(see ${absolute('root', 'x')})`],
    ['a temporary file', `const file = '${absolute('tmp', 'x.png')}'`],
    ['a Windows home folder', ['C:', 'Users', 'ana'].join('\\')],
  ])('finds %s', (_, text) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining('a path of one machine')]);
  });

  it.each([
    `import '../home/page.ts'`,
    'GET https://example.org/home/page',
    'const file = `${dataDir}/tmp/x`',
    "app.get('/api/sticker-packs')",
    'path: apps/work/main.ts',
  ])('leaves alone %s', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it.each([
    ['TO', 'DO'],
    ['FIX', 'ME'],
  ])('finds the mark %s%s with its file and line', (...halves) => {
    expect(problemsOf(`a\n// ${halves.join('')}: later`)).toEqual([
      expect.stringMatching(/^libs\/a\/src\/b\.ts:2: a mark of unfinished work/),
    ]);
  });

  it('does not take Portuguese words for marks', () => {
    expect(problemsOf('todos os pacotes, todo dia')).toEqual([]);
  });

  it('wants a reason where a rule is disabled', () => {
    const disable = ['// eslint', 'disable-next-line no-console'].join('-');
    expect(problemsOf(disable)).toHaveLength(1);
    expect(problemsOf(`${disable} -- the logger is not there yet`)).toEqual([]);
  });

  it('wants no registry address in the lock file', () => {
    const line = '      "resolved": "https://registry.example/x.tgz",';
    expect(problemsOf(line, 'package-lock.json')).toHaveLength(1);
    expect(problemsOf('      "resolved": "libs/catalog",', 'package-lock.json')).toEqual([]);
  });
});

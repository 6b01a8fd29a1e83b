import { describe, expect, it } from '@jest/globals';
import { findMissingLine, npmCommandsIn, readPage } from './read-page.ts';

/** So that this file holds no fences of its own. */
const page = (...lines: string[]): string => lines.join('\n').replaceAll('~~~', '```');

describe('readPage', () => {
  it('finds the blocks below their headings, with what is to be seen, and what is for one database only', () => {
    const sections = readPage(
      page(
        '# Title',
        'Text.',
        '## Stop',
        '1. First:',
        '',
        '   ~~~bash',
        '   npm run a',
        '   # no heading',
        '   ~~~',
        '   ~~~text',
        '   done',
        '   ~~~',
        '~~~sql mysql',
        'SELECT 1;',
        '~~~',
        '## After',
      ),
    );

    expect(sections.map(({ title }) => title)).toEqual(['', 'Title', 'Stop', 'After']);
    expect(sections[2]?.blocks).toEqual([
      { language: 'bash', kind: null, text: 'npm run a\n# no heading', line: 6, expected: 'done' },
      { language: 'sql', kind: 'mysql', text: 'SELECT 1;', line: 13, expected: null },
    ]);
  });

  it.each([
    ['a block without a language', page('~~~', 'x', '~~~'), 'line 1: a block is bash, sql, text'],
    ['a block of another language', page('a', '~~~sh', 'x', '~~~'), 'not "sh"'],
    ['an unknown database', page('~~~sql oracle', 'x', '~~~'), 'not "sql oracle"'],
    ['a block without an end', page('a', '~~~bash', 'x'), 'line 2: this block has no end'],
    ['output of nothing', page('~~~text', 'x', '~~~'), 'there is none above'],
    ['a heading that is there twice', page('# A', '# A'), 'line 2: the heading "A" is there twice'],
  ])('refuses %s', (_, text, problem) => {
    expect(() => readPage(text)).toThrow(problem);
  });
});

describe('findMissingLine', () => {
  const printed = '> ops\n\nflag    enabled  percent\na.b     yes      100\nc       no       0\n';

  it.each([
    ['all of it', 'flag enabled percent\na.b yes 100', null],
    ['what differs left out', 'flag …\n…\nc no …', null],
    ['another value', 'a.b yes 50', 'a.b yes 50'],
    ['another order', 'c no 0\na.b yes 100', 'a.b yes 100'],
    ['a part of a line', 'a.b', 'a.b'],
    ['signs of patterns as they are', 'a-b yes 100', 'a-b yes 100'],
  ])('compares %s', (_, expected, missing) => {
    expect(findMissingLine(expected, printed)).toBe(missing);
  });
});

describe('npmCommandsIn', () => {
  it('finds them in text and blocks, whole, and each by itself', () => {
    const text = page(
      'Type `npm run -s ops -- dlq list`, or `npm start`.',
      '~~~bash',
      'npm run pm2 -- ls  # all',
      'npm run ops -- a b \\',
      '  --c d && npm run check || true',
      '~~~',
    );
    expect(npmCommandsIn(text)).toEqual([
      'npm run -s ops -- dlq list',
      'npm start',
      'npm run pm2 -- ls',
      'npm run ops -- a b --c d',
      'npm run check',
    ]);
  });
});

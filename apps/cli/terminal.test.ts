import { describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { age, createTerminal, printable } from './terminal.ts';

function open(options: { columns?: number } = {}) {
  const streams = { input: new PassThrough(), output: new PassThrough(), errors: new PassThrough() };
  const isTTY = options.columns !== undefined;
  for (const stream of Object.values(streams)) Object.assign(stream, { isTTY, columns: options.columns });
  const terminal = createTerminal(streams as unknown as Parameters<typeof createTerminal>[0]);
  const read = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString('utf8') ?? '';
  return { terminal, ...streams, said: () => read(streams.output), noted: () => read(streams.errors) };
}

const rows = [
  ['outbox:1', 'PACK_UPDATED', 'a long error that goes on and on until no line can hold it any more'],
  ['tasks:20', 'rebuild', 'short'],
];

describe('a table', () => {
  it('fits a terminal by cutting its last column', () => {
    const { terminal, said } = open({ columns: 40 });
    terminal.table(['ID', 'TYPE', 'ERROR'], rows);

    const lines = said().trimEnd().split('\n');
    expect(lines).toEqual([
      'ID        TYPE          ERROR',
      'outbox:1  PACK_UPDATED  a long error th…',
      'tasks:20  rebuild       short',
    ]);
    expect(lines[1]).toHaveLength(40);
  });

  it('cuts a wide column before the last one so that the last one can be read', () => {
    const { terminal, said } = open({ columns: 80 });
    const error = 'AppError: Event 6 does not match its schema at all';
    terminal.table(
      ['ID', 'SUBJECT', 'TRIES', 'ERROR'],
      [['outbox:6', '01a210e8-bc45-7500-8069-b3cb12d7d163', '9', error]],
    );

    const [heading, line] = said().split('\n');
    expect(line).toBe('outbox:6  01a210e8-bc45-7500-8…  9      AppError: Event 6 does not match its sc…');
    expect(heading?.indexOf('ERROR')).toBe(line?.indexOf('AppError'));
    expect(line?.length).toBeLessThanOrEqual(80);
  });

  it('cuts nothing that goes into a pipe', () => {
    const { terminal, said } = open();
    terminal.table(['ID', 'TYPE', 'ERROR'], rows);

    expect(said()).toContain('until no line can hold it any more\n');
  });

  it('keeps each row on one line and leaves no escape sequence in it', () => {
    const { terminal, said } = open();
    terminal.table(['ID', 'ERROR'], [['1', 'first\n  second\t\u001b[2Jthird\u0007 👩‍🚀']]);

    expect(said()).toBe('ID  ERROR\n1   first second �[2Jthird� 👩‍🚀\n');
    expect(printable('a\n\tb\u001bc\u202ed')).toBe('a\n\tb�c�d');
  });
});

describe('a question', () => {
  it.each([
    ['y\n', true],
    ['YES\n', true],
    ['n\n', false],
    ['\n', false],
    ['yellow\n', false],
    ['', false],
  ])('answered with %j is %s', async (answer, expected) => {
    const { terminal, input, noted } = open({ columns: 80 });
    expect(terminal.isInteractive()).toBe(true);
    const asked = terminal.confirm('Redrive 12?');
    input.end(answer);

    expect(await asked).toBe(expected);
    expect(noted()).toContain('Redrive 12? [y/N] ');
  });

  it('cannot be asked without a terminal', () => {
    expect(open().terminal.isInteractive()).toBe(false);
  });
});

describe('progress', () => {
  it('is a bar on a terminal and lines elsewhere, never on stdout', () => {
    for (const [columns, expected] of [
      [80, `\r[${'#'.repeat(12)}${'.'.repeat(12)}] redriven 5 of 10\r[${'#'.repeat(24)}] redriven 10 of 10\n`],
      [undefined, 'redriven 5 of 10\nredriven 10 of 10\n'],
    ] as const) {
      const { terminal, said, noted } = open(columns === undefined ? {} : { columns });
      const progress = terminal.progress('redriven');
      progress.at(5, 10);
      progress.at(10, 10);
      progress.done();

      expect([said(), noted()]).toEqual(['', expected]);
    }
  });
});

describe('an age', () => {
  it.each([
    [5, '5 s'],
    [119, '119 s'],
    [3_600, '60 min'],
    [90_000, '25 h'],
    [864_000, '10 d'],
    [-5, '0 s'],
  ])('of %i seconds is %s', (seconds, text) => {
    const now = Date.UTC(2026, 0, 31);
    expect(age(new Date(now - seconds * 1_000), now)).toBe(text);
  });
});

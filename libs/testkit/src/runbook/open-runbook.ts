/**
 * A page of runbooks/ that is carried out as it stands: its blocks are typed in their order, by a shell in the folder of the
 * release or on the catalogue, and what the page says will be seen is compared with what is printed. The test looks at the
 * system after each section. A page that says something else tomorrow is carried out differently tomorrow.
 *
 * What only the operator can know is a variable on the page, `PACK=...  # fill in: which pack`, and the test fills it in. A block
 * for a catalogue on one database only says so behind its language: `bash postgres`, `sql mysql`.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Database } from '@omnizap/runtime';
import { openShell, quote } from './operator-shell.ts';
import { findMissingLine, readPage, type PageBlock, type PageSection } from './read-page.ts';

const projectRoot = path.resolve(import.meta.dirname, '../../../..');

/** pm2 waits up to a minute for each process to be ready. */
const defaultLongestBlockMs = 150_000;
/** A whole line of a bash block. */
const fillIn = /^((?:export )?(\w+))=(?:'[^']*'|"[^"]*"|\S*)\s+# fill in: \S.*$/;

export type BlockRun = { block: PageBlock; out: string; rows: Record<string, unknown>[] };

export type RunOptions = {
  /** A value for each variable that the section asks for. */
  fill?: Record<string, string>;
  /** Looks at the system after each block, before the next one. */
  after?: (run: BlockRun, index: number) => Promise<void> | void;
};

export type Runbook = {
  /**
   * Types the blocks of that section, which must be the next one with blocks. @throws Error with page, line and what was
   * printed, when a block fails or prints something else than the page says
   */
  run: (title: string, options?: RunOptions) => Promise<BlockRun[]>;
  /** The titles of the sections that have blocks and were not carried out: a test of a page ends with none. */
  left: () => string[];
  close: () => Promise<void>;
};

export type RunbookOptions = {
  /** The operator's settings: nothing else is in the shell. */
  env: Record<string, string>;
  /** Where `sql` blocks are typed; asked at each block, because a test may change it. */
  database: () => Database;
  kind: 'postgres' | 'mysql';
  /** Folder of the release; default: this checkout. */
  cwd?: string;
  /** Words in bash blocks that a test cannot have typed, with what is typed instead. Each must be on the page. */
  standIns?: Record<string, string>;
  /** A block that takes longer is ended, and has failed. Default: 150 s. */
  longestBlockMs?: number;
  /** Default: runbooks/. */
  folder?: string;
};

/** `name` is the file in runbooks/ without `.md`. */
export async function openRunbook(name: string, options: RunbookOptions): Promise<Runbook> {
  const {
    env,
    database,
    kind,
    cwd = projectRoot,
    standIns = {},
    longestBlockMs = defaultLongestBlockMs,
    folder = path.join(projectRoot, 'runbooks'),
  } = options;
  const sections = readPageOf(name, await readFile(path.join(folder, `${name}.md`), 'utf8'));
  const waiting = sections.filter(({ blocks }) => blocks.length > 0);
  const unused = Object.keys(standIns).filter(
    (words) => !sections.some(({ blocks }) => blocks.some(({ text }) => text.includes(words))),
  );
  if (unused.length > 0) throw new Error(`${name}.md: no block says "${unused.join('", "')}"`);
  const shell = await openShell(cwd, env, longestBlockMs);

  async function type(block: PageBlock): Promise<BlockRun> {
    if (block.language === 'bash') {
      const text = Object.entries(standIns).reduce(
        (all, [words, instead]) => all.replaceAll(words, instead),
        block.text,
      );
      const { code, out } = await shell.run(text);
      if (code !== 0) throw new Error(`exit code ${String(code)}\n${out}`);
      return { block, out, rows: [] };
    }
    const rows: Record<string, unknown>[] = [];
    for (const statement of statementsOf(block.text)) {
      const answer: unknown = await database().knex.raw(statement);
      rows.push(...rowsOf(answer));
    }
    return { block, out: JSON.stringify(rows), rows };
  }

  return {
    async run(title, { fill = {}, after } = {}) {
      const next = waiting[0];
      if (next?.title !== title)
        throw new Error(`${name}.md: "${title}" is not the next section with blocks, "${next?.title ?? 'none'}" is`);
      const blocks = next.blocks.filter((block) => block.kind === null || block.kind === kind);
      const filled = fillBlocks(name, blocks, fill);
      const runs: BlockRun[] = [];
      for (const [index, block] of filled.entries()) {
        const where = `${name}.md, line ${block.line}`;
        const run = await type(block).catch((cause: unknown) => {
          const reason = cause instanceof Error ? cause.message : String(cause);
          throw new Error(`${where}: this block failed\n${block.text}\n${reason}`, { cause });
        });
        const missing = block.expected === null ? null : findMissingLine(block.expected, run.out);
        if (missing !== null)
          throw new Error(
            `${where}: the page says that this is to be seen, in this order: "${missing}". It printed:\n${run.out}`,
          );
        runs.push(run);
        await after?.(run, index);
      }
      waiting.shift();
      return runs;
    },
    left: () => waiting.map(({ title }) => title),
    close: shell.close,
  };
}

function readPageOf(name: string, text: string): PageSection[] {
  try {
    return readPage(text);
  } catch (cause) {
    throw new Error(`${name}.md, ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Puts the values in, and wants neither one too few nor one too many. */
function fillBlocks(name: string, blocks: PageBlock[], fill: Record<string, string>): PageBlock[] {
  const open = new Set(Object.keys(fill));
  const filled = blocks.map((block) => {
    if (block.language !== 'bash') return block;
    const lines = block.text.split('\n').map((line) => {
      const [, assigned, variable] = fillIn.exec(line) ?? [];
      if (variable === undefined) return line;
      const value = fill[variable];
      if (value === undefined) throw new Error(`${name}.md, line ${block.line}: ${variable} is to be filled in`);
      open.delete(variable);
      return `${assigned}=${quote(value)}`;
    });
    return { ...block, text: lines.join('\n') };
  });
  if (open.size > 0) throw new Error(`${name}.md: nothing asks for ${[...open].join(', ')} here`);
  return filled;
}

/** Statements end with a semicolon at the end of a line. */
function statementsOf(text: string): string[] {
  return text
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/** PostgreSQL answers `{rows}`, MariaDB `[rows, fields]`; what is no SELECT has none. */
function rowsOf(answer: unknown): Record<string, unknown>[] {
  const rows = Array.isArray(answer) ? (answer[0] as unknown) : (answer as { rows?: unknown }).rows;
  return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
}

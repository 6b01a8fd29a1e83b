/**
 * A page of runbooks/ as what a reader does with it: headings, and below each the fenced blocks to be typed there. Understands
 * the Markdown that our pages use, and no more; what it would have to guess it refuses.
 */

/** What a fence says after its three backticks. Only what can be typed or compared may stand on a page of procedure. */
const languages = ['bash', 'sql', 'text'] as const;

export type PageBlock = {
  language: 'bash' | 'sql';
  /** `bash postgres`, `sql mysql`: for a catalogue on that database only. */
  kind: 'postgres' | 'mysql' | null;
  text: string;
  /** Of the opening fence, from 1. */
  line: number;
  /** The `text` block right below: what is to be seen. */
  expected: string | null;
};

export type PageSection = { title: string; line: number; blocks: PageBlock[] };

/** Sections in the order of the page; what stands before the first heading has the title ''. @throws Error naming the line */
export function readPage(text: string): PageSection[] {
  let section: PageSection = { title: '', line: 1, blocks: [] };
  const sections = [section];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const title = /^#+ +(.*?)\s*$/.exec(line)?.[1];
    if (title !== undefined) {
      if (sections.some((other) => other.title === title))
        throw new Error(`line ${index + 1}: the heading "${title}" is there twice`);
      section = { title, line: index + 1, blocks: [] };
      sections.push(section);
    }
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (fence === null) continue;
    const opened = index;
    const end = lines.findIndex((other, at) => at > opened && other.trim() === '```');
    if (end < 0) throw new Error(`line ${opened + 1}: this block has no end`);
    const indent = fence[1] ?? '';
    const body = lines.slice(opened + 1, end).map((own) => (own.startsWith(indent) ? own.slice(indent.length) : own));
    addBlock(section, fence[2] ?? '', body.join('\n'), opened + 1);
    index = end;
  }
  return sections;
}

function addBlock(section: PageSection, info: string, text: string, line: number): void {
  const [language = '', kind, ...more] = info.trim().split(/\s+/);
  const isKnown = (languages as readonly string[]).includes(language);
  if (!isKnown || more.length > 0 || (kind !== undefined && kind !== 'postgres' && kind !== 'mysql'))
    throw new Error(
      `line ${line}: a block is ${languages.join(', ')}, with postgres or mysql behind it, not "${info.trim()}"`,
    );
  if (language === 'text') {
    const above = section.blocks.at(-1);
    if (above === undefined || above.expected !== null)
      throw new Error(`line ${line}: a text block is what the block above prints, and there is none above`);
    above.expected = text;
    return;
  }
  section.blocks.push({
    language: language as PageBlock['language'],
    kind: kind ?? null,
    text,
    line,
    expected: null,
  });
}

/**
 * The first line of `expected` that `output` does not have, in its order, or null. `…` stands for anything, and so much white
 * space for any other: widths of columns differ with what is in them.
 */
export function findMissingLine(expected: string, output: string): string | null {
  const printed = output.split('\n').map(squeeze);
  let from = 0;
  for (const line of expected.split('\n').map(squeeze)) {
    if (line === '' || line === '…') continue;
    const pattern = new RegExp(`^${line.split('…').map(escape).join('.*')}$`, 'u');
    const at = printed.findIndex((own, index) => index >= from && pattern.test(own));
    if (at < 0) return line;
    from = at + 1;
  }
  return null;
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

function squeeze(line: string): string {
  return line.trim().replaceAll(/\s+/g, ' ');
}

/** Every `npm run …` of a page, in running text and in blocks, with continued lines joined, each up to its end. */
export function npmCommandsIn(text: string): string[] {
  return text
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split(/`|\n|\s#\s|&&|\|\||[|;)>]/)
    .flatMap((part) => /\bnpm (?:run|start|test)\b.*/.exec(part)?.[0].trim() ?? []);
}

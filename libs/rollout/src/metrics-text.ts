/** Reads the Prometheus text format, as far as our own processes write it. */

export type Series = { name: string; labels: Record<string, string>; value: number };

const linePattern = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/;
const labelPattern = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** The series whose name is wanted. Lines that cannot be read are left out. */
export function parseMetrics(text: string, isWanted: (name: string) => boolean): Series[] {
  const found: Series[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const name = /^[\w:]+/.exec(line)?.[0];
    if (name === undefined || !isWanted(name)) continue;
    const [, , labels = '', number = ''] = linePattern.exec(line) ?? [];
    const value = Number(number === '+Inf' ? Infinity : number);
    if (number === '' || Number.isNaN(value)) continue;
    found.push({ name, labels: parseLabels(labels), value });
  }
  return found;
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(text.matchAll(labelPattern), ([, name = '', value = '']) => [
      name,
      value.replaceAll(/\\(.)/g, (_match, character: string) => (character === 'n' ? '\n' : character)),
    ]),
  );
}

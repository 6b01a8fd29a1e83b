/** Links between the project's own pages: an operator who follows a dead one at night has lost minutes. */
import path from 'node:path';

import type { TextFile } from './project-text.ts';

/** One line per relative link of `page` that leads to none of `files` (POSIX paths relative to the project's root). */
export function findDeadLinks(page: TextFile, files: ReadonlySet<string>): string[] {
  const text = withoutCode(page.text);
  return Array.from(text.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g), (match) => match[1] ?? '')
    .filter((target) => !/^(?:[a-z][a-z0-9+.-]*:|#|\/)/i.test(target))
    .filter(
      (target) =>
        !isPresent(path.posix.join(path.posix.dirname(page.path), decodeURI(target.replace(/#.*$/, ''))), files),
    )
    .map((target) => `${page.path}: dead link ${target}`);
}

function isPresent(target: string, files: ReadonlySet<string>): boolean {
  const folder = target.replace(/\/*$/, '/');
  return files.has(target) || folder === './' || [...files].some((file) => file.startsWith(folder));
}

/** Samples of code are no links. */
function withoutCode(text: string): string {
  return text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

/** runbooks/errors.md: the error registry as a page. Generated, so that a reader can trust that it is complete. */

type ErrorEntry = { status: number; title: string; retryable: boolean; level: string };

export type ErrorRegistry = Readonly<Record<string, ErrorEntry>>;

/** Where the page is, relative to the project's root. */
export const errorsPagePath = 'runbooks/errors.md';

/** The page's whole text, sorted by status and then by code. */
export function renderErrorsPage(registry: ErrorRegistry): string {
  const rows = Object.entries(registry)
    .toSorted(([codeA, a], [codeB, b]) => a.status - b.status || codeA.localeCompare(codeB, 'en'))
    .map(
      ([code, { status, title, retryable, level }]) =>
        `| \`${code}\` | ${status} | ${title} | ${retryable ? 'yes' : 'no'} | ${level} |`,
    );
  return [
    '# Errors',
    '',
    'Generated from `libs/runtime/src/errors.ts` by `npm run check -- --fix`: change it there.',
    '',
    'A failed request is answered with `application/problem+json` (RFC 9457): `code` is the first column, `status` the',
    'second, `title` the third; `detail` says what happened this time. "Again" tells whether the same request, or the same',
    'task, may succeed later without a change. "Log level" is that of an occurrence nobody handled: `error` asks for a person.',
    '',
    '| code | status | title | again | log level |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** Compares the page with the registry: one line per code that is missing, too many or described differently. */
export function findErrorsPageProblems(page: string, registry: ErrorRegistry): string[] {
  const written = rowsByCode(page);
  const wanted = rowsByCode(renderErrorsPage(registry));
  const problems = [
    ...[...wanted]
      .filter(([code]) => !written.has(code))
      .map(([code]) => `${errorsPagePath}: the code ${code} is missing`),
    ...[...written]
      .filter(([code]) => !wanted.has(code))
      .map(([code]) => `${errorsPagePath}: there is no code ${code}`),
    ...[...wanted]
      .filter(([code, row]) => written.has(code) && written.get(code) !== row)
      .map(([code]) => `${errorsPagePath}: the line of ${code} is outdated`),
  ];
  if (problems.length === 0 && page !== renderErrorsPage(registry))
    problems.push(`${errorsPagePath}: edited by hand or badly ordered`);
  return problems.length === 0 ? [] : [...problems, 'npm run check -- --fix --only docs writes it again'];
}

function rowsByCode(page: string): Map<string, string> {
  return new Map(Array.from(page.matchAll(/^\| `([^`]+)` \|.*$/gm), (match) => [match[1] ?? '', match[0]]));
}

import { describe, expect, it } from '@jest/globals';

import { findErrorsPageProblems, renderErrorsPage } from './errors-page.ts';

const registry = {
  'not-found': { status: 404, title: 'Not found', retryable: false, level: 'info' },
  unavailable: { status: 503, title: 'Temporarily unavailable', retryable: true, level: 'warn' },
};

describe('the errors page', () => {
  it('lists exactly the codes of the registry, in the order of their status', () => {
    const codes = Array.from(renderErrorsPage(registry).matchAll(/^\| `(.+?)` \| (\d+)/gm), ([, code, status]) => [
      code,
      status,
    ]);
    expect(codes).toEqual([
      ['not-found', '404'],
      ['unavailable', '503'],
    ]);
  });

  it('is right when nobody touched it', () => {
    expect(findErrorsPageProblems(renderErrorsPage(registry), registry)).toEqual([]);
  });

  it('names a code that is missing, one too many and one that says something else', () => {
    const page = renderErrorsPage({
      'not-found': { ...registry['not-found'], status: 410 },
      gone: { status: 410, title: 'Gone', retryable: false, level: 'info' },
    });
    const problems = findErrorsPageProblems(page, registry).join('\n');
    expect(problems).toMatch(/unavailable is missing/);
    expect(problems).toMatch(/no code gone/);
    expect(problems).toMatch(/line of not-found is outdated/);
  });

  it('notices an edit outside of the table', () => {
    expect(findErrorsPageProblems(`${renderErrorsPage(registry)}More.\n`, registry)).toHaveLength(2);
  });
});

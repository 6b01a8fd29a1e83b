/** deploy/env.example and the contract must name the same settings: operators copy the one and rely on the other. */

/** One line per setting that only one of the two texts names. Reserved *(later)* settings and `OTEL_*` are left out. */
export function findSettingsProblems(envExample: string, contract: string): string[] {
  const inExample = new Set(Array.from(envExample.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm), (match) => match[1] ?? ''));
  const inContract = settingsOf(contract);
  return [
    ...[...inExample]
      .filter((name) => !inContract.has(name) && !name.startsWith('OTEL_'))
      .map((name) => `deploy/env.example: ${name} is not in runbooks/contract.md`),
    ...[...inContract]
      .filter((name) => !inExample.has(name) && !name.startsWith('OTEL_'))
      .map((name) => `runbooks/contract.md: ${name} is not in deploy/env.example`),
  ];
}

/** The settings in the contract's sections 2 and 3, `A_{B,C}_D` spelt out. */
function settingsOf(contract: string): Set<string> {
  const sections = /^## 2\..*?(?=^## 4\.)/ms.exec(contract)?.[0] ?? '';
  const tokens = sections
    .split('\n')
    .filter((line) => !line.startsWith('Delivery *(later)*'))
    .flatMap((line) =>
      Array.from(
        line.matchAll(/`([A-Z][A-Z0-9_]*(?:\{[^}`]*\}[A-Z0-9_]*)?)`(?! \*\(later\)\*)/g),
        (match) => match[1] ?? '',
      ),
    );
  return new Set(tokens.flatMap(spellOut).filter((name) => name.includes('_') || name === 'PORT'));
}

function spellOut(name: string): string[] {
  const [, before, choices, after] = /^(\w*)\{(.*)\}(\w*)$/.exec(name) ?? [];
  if (before === undefined || choices === undefined || after === undefined) return [name];
  return choices.split(',').map((choice) => `${before}${choice.replace(/\(.*/, '')}${after}`);
}

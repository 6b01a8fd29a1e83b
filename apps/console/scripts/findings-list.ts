/** The validator's words: rule, what it found, what to do, and whether that is done already. */
import type { ApiAnswer, Finding } from './owner-api.ts';

export function findingItems(findings: Finding[], mended: string): HTMLElement[] {
  return findings.map(({ rule, severity, message, remedy, fixed_automatically: isMended }) =>
    item(rule, isMended ? [message, mended] : [message, remedy], isMended ? 'mended' : severity),
  );
}

/** A refusal as one: its code where a rule would be. */
export function problemItems({ body }: ApiAnswer): HTMLElement[] {
  const named = (body.errors ?? []).map(({ rule, pointer, detail }) => item(rule ?? pointer, [detail], 'error'));
  return [item(body.code ?? '', [body.detail ?? ''], 'error'), ...named];
}

function item(rule: string, texts: string[], kind: 'error' | 'warning' | 'mended'): HTMLElement {
  const element = document.createElement('li');
  element.className = `finding ${kind}`;
  const code = document.createElement('code');
  code.textContent = rule;
  element.append(code, ' ', texts.join(' '));
  return element;
}

/** The line that says what has just happened: seen, and read out by screen readers. */
import type { ApiAnswer } from './owner-api.ts';

/** Long enough to be read twice. */
const shownForMs = 8_000;

export type Say = {
  (text: string | undefined): void;
  /** Why something was not done, in the API's words; without an answer, that it failed. */
  problem: (answer: ApiAnswer | null) => void;
};

export function createSay(root: HTMLElement): Say {
  const line = root.querySelector<HTMLElement>('[data-owner-status]');
  let timer = 0;
  const say = (text: string | undefined): void => {
    if (!line) return;
    line.textContent = text ?? '';
    clearTimeout(timer);
    timer = setTimeout(() => (line.textContent = ''), shownForMs);
  };
  return Object.assign(say, {
    problem(answer: ApiAnswer | null) {
      say(answer?.status === 401 ? line?.dataset.signedOut : (answer?.body.detail ?? line?.dataset.failed));
    },
  });
}

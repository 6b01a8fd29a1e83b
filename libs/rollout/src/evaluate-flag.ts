/** Whether a flag is on for a subject, and why. */
import { bucketOf } from './bucket.ts';
import { isFlagName, type FlagName } from './flag-definitions.ts';
import type { FlagRow } from './flag-store.ts';

export type FlagValue = { isEnabled: boolean; rolloutPercent: number };

export type Evaluation = {
  flag: FlagName;
  subject: string;
  /** 1 to 100; null without a subject. */
  bucket: number | null;
  enabled: boolean;
  /** In OpenFeature's words: off, the same for everybody, by share, never looked up, not looked up for a while. */
  reason: 'DISABLED' | 'STATIC' | 'SPLIT' | 'DEFAULT' | 'STALE';
};

/** Off at any percentage while it is disabled; without a subject off unless it is on for everybody. */
export function evaluateFlag(
  flag: FlagName,
  subject: string,
  value: FlagValue,
  known: 'now' | 'stale' | 'never' = 'now',
): Evaluation {
  const percent = value.isEnabled ? value.rolloutPercent : 0;
  const bucket = subject === '' ? null : bucketOf(flag, subject);
  const enabled = bucket === null ? percent === 100 : bucket <= percent;
  return { flag, subject, bucket, enabled, reason: reasonOf() };

  function reasonOf(): Evaluation['reason'] {
    if (known !== 'now') return known === 'never' ? 'DEFAULT' : 'STALE';
    if (!value.isEnabled) return 'DISABLED';
    return percent === 0 || percent === 100 ? 'STATIC' : 'SPLIT';
  }
}

/** Evaluates by rows that were read once. A flag without a row is off. */
export function storedEvaluation(rows: FlagRow[]): { evaluate(flag: FlagName, subject: string): Evaluation } {
  const values = new Map(rows.filter((row) => isFlagName(row.flagName)).map((row) => [row.flagName, row]));
  return {
    evaluate(flag, subject) {
      const value = values.get(flag);
      return value
        ? evaluateFlag(flag, subject, value)
        : evaluateFlag(flag, subject, { isEnabled: false, rolloutPercent: 0 }, 'never');
    },
  };
}

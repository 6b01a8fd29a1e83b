/** What a table's owner promises about the age of its rows. Owners export policies; an app hands them to `createRetention`. */
import type { Transaction } from './database.ts';
import { AppError } from './errors.ts';

/** Runs inside a transaction that has the rows of these ids (ascending) locked; the SQL is the owner's. */
export type RetentionHook = (trx: Transaction, ids: number[]) => Promise<void>;

type PolicyBasis = {
  /** Label of metrics and folder of archives: lower-case words with hyphens. */
  name: string;
  table: string;
  /** For the operator's list: why this long, and why archived or not. */
  reason: string;
  /** When the row was made: it grows with the primary key, apart from transactions that ran at the same time. Default: `created_at`. */
  createdColumn?: string;
  /** A primary key that is handed out in ascending order. Default: `id`. */
  key?: string;
};

export type KeptForEver = PolicyBasis & { keep: 'for-ever' };

export type KeptForDays = PolicyBasis & {
  keep: { days: number };
  /** `archive`: into a file of ARCHIVE_DIR first. `drop`: gone. */
  action: 'archive' | 'drop';
  /** SQL that a row must fulfil as well; what does not stays, however old. */
  condition?: string;
  /** What the days count from, never earlier than `createdColumn`, its default. NULL: the row stays. */
  ageColumn?: string;
  /** In the transaction that deletes the rows, before it does. */
  beforeDelete?: RetentionHook;
  /** Takes back what `beforeDelete` did, in the transaction that has put the rows back. */
  afterRestore?: RetentionHook;
};

export type RetentionPolicy = KeptForEver | KeptForDays;

export function isKeptForDays(policy: RetentionPolicy): policy is KeptForDays {
  return policy.keep !== 'for-ever';
}

/** @throws AppError `configuration-invalid` naming the policy; at start, not when the first row is due */
export function checkPolicies(policies: RetentionPolicy[]): void {
  const names = new Set<string>();
  for (const policy of policies) {
    const problem = problemOf(policy, names);
    if (problem !== null)
      throw new AppError('configuration-invalid', `The retention policy "${policy.name}" ${problem}.`);
    names.add(policy.name);
  }
}

function problemOf(policy: RetentionPolicy, names: Set<string>): string | null {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(policy.name)) return 'needs a name of lower-case letters, digits and hyphens';
  if (names.has(policy.name)) return 'is there twice';
  if (!isKeptForDays(policy)) return null;
  if (!Number.isInteger(policy.keep.days) || policy.keep.days < 1) return 'must keep rows for a whole number of days';
  if (policy.action === 'archive' && policy.beforeDelete !== undefined && policy.afterRestore === undefined)
    return 'changes something when rows go and does not say how to undo that when they come back';
  return null;
}

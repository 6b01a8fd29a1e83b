/** What a run may be found guilty of. The words are defined for users in the tool's help. */

export const violationKinds = [
  'lost',
  'unexpected',
  'doubled',
  'inversion',
  'stale_write',
  'orphan',
  /** The fleet never came to rest. */
  'not_quiet',
  /** A dead letter that nothing of what was done explains. */
  'dead_letter',
  /** A process ended by itself, or did not end as it should when asked to. */
  'bad_end',
  /** A task that nobody would have worked, for longer than others may take to notice. */
  'no_owner',
  /** A task worked by somebody whose it was not. */
  'wrong_lane',
  /** A process that did not hear of a flip. */
  'stale_flag',
  /** A request that a reload of the API broke. */
  'failed_reload',
  /** A sticker's bytes that somebody did not get, or got wrong. */
  'failed_asset',
  /** A client that was sent to a bucket that had been away for long. */
  'late_redirect',
  /** Bytes that came far too late. */
  'slow_asset',
  /** The API did not leave a dead bucket alone, or did not come back to a live one. */
  'stuck_breaker',
  /** The bucket is not as the catalogue wants it. */
  'wrong_object',
] as const;
export type ViolationKind = (typeof violationKinds)[number];

export type Violation = {
  kind: ViolationKind;
  /** Of the list in runbooks/reliability.md. */
  invariant: number;
  /** One line for a person, with the ids that find it in the history and the tables. */
  what: string;
};

/** A run: everything that is known about it when it is over. */
export function violation(kind: ViolationKind, invariant: number, what: string): Violation {
  return { kind, invariant, what };
}

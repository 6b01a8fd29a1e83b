/** What the stores promise. Each mutant breaks one of them; the conformance suite holds the sound ones against the real stores. */
export type Rules = {
  /** A version is recorded as done once, and never an older one after a newer. */
  guardsVersions: boolean;
  /** A look is refused when the last recorded one may have seen more than it did. */
  refusesOverlap: boolean;
  /** An event's tasks are in their queue before it is marked as relayed. */
  insertsBeforeMarking: boolean;
  /** Statements of a relay take effect only while it holds the shards. */
  checksHold: boolean;
  /** What is claimed before an older unfinished event of its aggregate is put back. */
  leavesOutEarly: boolean;
  /** A hint merges with a waiting task of its subject only, never with a started one. */
  mergesWaitingOnly: boolean;
  /** A settling statement names the attempt. */
  namesAttempts: boolean;
  /** Whoever redrives a dead letter has deleted it in the same transaction. */
  deletesBeforeRedrive: boolean;
  /** A task in hand, but not alone, when its process died is given back without counting. */
  sparesNeighbours: boolean;
};

export const soundRules: Rules = {
  guardsVersions: true,
  refusesOverlap: true,
  insertsBeforeMarking: true,
  checksHold: true,
  leavesOutEarly: true,
  mergesWaitingOnly: true,
  namesAttempts: true,
  deletesBeforeRedrive: true,
  sparesNeighbours: true,
};

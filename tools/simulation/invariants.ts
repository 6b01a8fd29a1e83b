/** What a run is judged by. */
export const invariants = {
  'event-lost': 'A committed event is handed to the queue before it is marked.',
  'commit-order': 'Events of one aggregate are handed over in the order of their commits.',
  'mark-without-lease': 'Only the process that holds the lease of a shard marks its events.',
  'stale-write': 'A derived row is written once per version, and never at an older one.',
  'stale-content': 'A derived row never shows an older version of a source again.',
  'swallowed-hint': 'A hint leaves a waiting task of its subject, also when one has started.',
  'one-claimer': 'Each attempt has one claimer, and is settled once, by it or by a rescue.',
  robbed: 'Nothing is taken from a process whose lease never ran out.',
  attempts: 'No task is tried more often than its limits allow.',
  'buried-early': 'Nothing becomes a dead letter before its attempts are used up.',
  'punished-neighbour': 'A task loses no attempt by the death of a process that worked others, too.',
  'redriven-twice': 'A dead letter is redriven once, whoever asks.',
  'not-converged': 'In the end every derived row shows its sources, or its failure is a dead letter.',
  'no-rest': 'When nothing more happens to it, the fleet comes to rest.',
} as const;

export type Invariant = keyof typeof invariants;
export type Violation = { invariant: Invariant; message: string; atMs: number };
export type Report = (invariant: Invariant, message: string) => void;

/** What a comparison of catalogue, disk and bucket found, counted by kind; of each kind the first few by name. */
export const findingKinds = [
  'missing_objects',
  'wrong_objects',
  'not_uploaded',
  'forbidden_objects',
  'stuck_removals',
  'missing_files',
  'wrong_files',
  'files_elsewhere',
  'unneeded_objects',
  'unneeded_files',
  'foreign_keys',
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** Nothing is wrong when there are some: they wait for their time, or are nobody's business here. */
const harmless: readonly FindingKind[] = ['files_elsewhere', 'unneeded_objects', 'unneeded_files', 'foreign_keys'];

export type StorageFinding = { kind: FindingKind; isWrong: boolean; count: number; first: string[] };

export function createStorageFindings(kept: number) {
  const found = new Map<FindingKind, { count: number; first: string[] }>();

  return {
    note(kind: FindingKind, name: string): void {
      const entry = found.get(kind) ?? { count: 0, first: [] };
      entry.count += 1;
      if (entry.first.length < kept) entry.first.push(name);
      found.set(kind, entry);
    },
    /** Every kind, those without a finding, too. */
    list: (): StorageFinding[] =>
      findingKinds.map((kind) => ({
        ...{ kind, isWrong: !harmless.includes(kind) },
        ...(found.get(kind) ?? { count: 0, first: [] }),
      })),
  };
}

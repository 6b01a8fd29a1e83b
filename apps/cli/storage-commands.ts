/** `storage verify` and `storage gc`: what compares disk, bucket and catalogue. Both work without a bucket, on the disk alone. */
import {
  collectGarbage,
  createStickerObjects,
  createWorkStateStore,
  verifyStorage,
  type FindingKind,
  type Garbage,
  type GarbageResult,
} from '@omnizap/catalog';
import { AppError, isAppError } from '@omnizap/runtime';
import type { Call, Command } from './command.ts';
import type { Session } from './session.ts';
import { requireUsable } from './storage-bucket.ts';
import type { Terminal } from './terminal.ts';

const longestGraceDays = 3_650;

const meanings: Record<FindingKind, string> = {
  missing_objects: 'objects that the bucket should have and has not',
  wrong_objects: 'objects with other bytes than they should have',
  not_uploaded: 'contents that should be in the bucket and are not',
  forbidden_objects: 'objects that nobody may see',
  stuck_removals: 'removals that did not end',
  missing_files: 'contents that are neither on this disk nor in the bucket',
  wrong_files: 'files with other bytes than they should have',
  files_elsewhere: 'contents that the bucket has and this disk has not',
  unneeded_objects: 'objects that no sticker has',
  unneeded_files: 'files that no sticker has',
  foreign_keys: 'keys in the bucket that are not of this system',
};
const remedies: Partial<Record<FindingKind, string>> = {
  missing_objects: 'storage verify --repair',
  wrong_objects: 'storage verify --repair',
  not_uploaded: 'storage backfill',
  forbidden_objects: 'storage verify --repair',
  stuck_removals: 'storage gc --yes',
  unneeded_objects: 'storage gc',
  unneeded_files: 'storage gc',
};
const remedyTexts: Partial<Record<FindingKind, string>> = {
  missing_files: 'look on other hosts that take stickers in, or into a backup (runbooks/restore.md)',
  wrong_files: 'put the file back from the bucket or a backup (runbooks/restore.md)',
};

export const verify: Command = {
  name: 'verify',
  summary: 'Compares catalogue, bucket and this disk in both directions; exit code 1 when something is wrong',
  options: {
    deep: { type: 'boolean', description: 'Reads every object and file that should be there, and hashes it' },
    repair: { type: 'boolean', description: 'Has what is wrong in the bucket uploaded, or taken out, again' },
  },
  examples: ['storage verify', 'storage verify --deep', 'storage verify --repair --json'],
  async run({ options, session, terminal, isJson }) {
    const { store, objects } = await session.stickerStorage();
    if (objects) await requireUsable(objects);
    const database = await session.database();
    const isRepairing = options.flag('repair');
    const progress = terminal.longProgress('Verify', 'contents');
    const result = await verifyStorage(
      { database, store, objects },
      {
        isDeep: options.flag('deep'),
        askFor: isRepairing && objects ? (ids) => askFor(session, ids) : null,
        onProgress: progress.at,
      },
    ).finally(progress.done);
    const isWrong = result.findings.some((finding) => finding.isWrong && finding.count > 0);
    if (isJson) {
      terminal.json({
        data: {
          ...{ ok: !isWrong, compared: result.compared, asked_for: result.askedFor },
          findings: result.findings.map(({ kind, isWrong: wrong, count, first }) => ({
            ...{ kind, is_wrong: wrong, count, first },
          })),
        },
      });
      return isWrong ? 1 : 0;
    }
    terminal.say(`${result.compared} contents compared in ${Math.ceil(result.seconds)} s.`);
    if (!objects) terminal.say('There is no bucket: this was about the disk alone.');
    for (const { kind, isWrong: wrong, count, first } of result.findings.filter((finding) => finding.count > 0)) {
      terminal.say(`\n${wrong ? 'WRONG' : 'note'}: ${count} ${meanings[kind]}`);
      for (const name of first) terminal.say(`  ${name}`);
      if (count > first.length) terminal.say(`  and ${count - first.length} more`);
      const command = remedies[kind];
      const remedy = command === undefined ? remedyTexts[kind] : `npm run ops -- ${command}`;
      if (remedy !== undefined) terminal.say(`  -> ${remedy}`);
    }
    if (!isWrong) terminal.say('Nothing is wrong.');
    if (isRepairing) terminal.say(`\n${result.askedFor} stickers were asked to be brought up to date again.`);
    return isWrong ? 1 : 0;
  },
};

/** Hints only make it sooner: sweeps find what is wanted. */
async function askFor(session: Session, stickerIds: string[]): Promise<void> {
  const subjects = stickerIds.map((subjectId) => ({ taskType: 'storage' as const, subjectId }));
  await createWorkStateStore(await session.database()).want(subjects);
  await session
    .taskQueues()
    .then((queues) => queues.enqueue(subjects.map((subject) => ({ ...subject, priority: repairPriority }))))
    .catch((error: unknown) => {
      if (!isAppError(error, 'unavailable')) throw error;
    });
}

/** Behind what people wait for. */
const repairPriority = 20;

/** So few are removed whatever the catalogue has. */
const fewEnough = 20;

export const gc: Command = {
  name: 'gc',
  summary:
    'Lists what no sticker needs in the bucket and on this disk and is older than the grace; with --yes removes it',
  options: {
    'grace-days': {
      type: 'string',
      value: 'n',
      description: `Only what is older than so many days (0..${longestGraceDays}; STICKER_STORAGE_GRACE_DAYS)`,
    },
    yes: { type: 'boolean', description: 'Removes it; without, nothing is removed' },
    force: { type: 'boolean', description: 'With --yes: also when that is more than the catalogue has' },
  },
  examples: ['storage gc', 'storage gc --yes', 'storage gc --grace-days 90 --yes --json'],
  async run({ options, session, terminal, isJson }: Call) {
    const given = options.number('grace-days', { min: 0, max: longestGraceDays, isWhole: true });
    const { store, objects, purge } = await session.stickerStorage();
    if (objects) await requireUsable(objects);
    const database = await session.database();
    const isRemoving = options.flag('yes');
    const bucket = objects && { objects, stickerObjects: createStickerObjects({ database, store, objects }) };
    const graceDays = given ?? session.storageGraceDays();
    const collect = (removing: boolean) =>
      collectGarbage({ database, store, bucket, purge }, { graceDays, isRemoving: removing });
    if (isRemoving && !options.flag('force')) refuseTooMuch(await collect(false));
    const result = await collect(isRemoving);
    if (isJson) terminal.json({ data: garbageJson(result, isRemoving, graceDays) });
    else tellGarbage(terminal, result, isRemoving, given);
    return result.failed === 0 ? 0 : 1;
  },
};

/**
 * The command believes the catalogue that it is given: with an empty one, an old copy, or that of another installation, nearly
 * everything is garbage. @throws AppError `validation-failed`
 */
function refuseTooMuch({ objects, files, used }: GarbageResult): void {
  const most = Math.max(objects.count, files.count);
  if (most <= Math.max(used, fewEnough)) return;
  throw new AppError(
    'validation-failed',
    `${most} would be removed, and the catalogue has ${used}: is DATABASE_URL the right one, and no old copy? With --force it is done.`,
  );
}

function tellGarbage(terminal: Terminal, result: GarbageResult, isRemoving: boolean, given: number | undefined): void {
  const { objects, files, leftovers, foreign } = result;
  const parts: [string, Garbage][] = [
    ['objects that no sticker needs', objects],
    ['files on this disk that no sticker needs', files],
    ['removals that did not end', leftovers],
  ];
  for (const [what, garbage] of parts) {
    const removed = isRemoving ? `, ${garbage.removed} removed` : '';
    terminal.say(`${garbage.count} ${what}, ${mebibytes(garbage.bytes)}${removed}`);
    tellFirst(terminal, garbage);
  }
  if (foreign.count > 0) {
    terminal.say(`${foreign.count} keys in the bucket are not of this system, and stay`);
    tellFirst(terminal, foreign);
  }
  if (result.younger > 0) terminal.say(`${result.younger} more are younger than the grace period, and stay`);
  for (const { key, reason } of result.failures) terminal.note(`${key}: ${reason}`);
  if (result.stopped !== null) terminal.note(`Stopped early: ${result.stopped}`);
  if (!isRemoving && parts.some(([, garbage]) => garbage.count > 0))
    terminal.say(
      `Nothing was removed. To remove it: npm run ops -- storage gc${given === undefined ? '' : ` --grace-days ${given}`} --yes`,
    );
}

function tellFirst(terminal: Terminal, { count, first }: Garbage): void {
  for (const name of first) terminal.say(`  ${name}`);
  if (count > first.length) terminal.say(`  and ${count - first.length} more`);
}

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;

const garbageJson = (result: GarbageResult, isRemoving: boolean, graceDays: number): object => ({
  ...{ removing: isRemoving, grace_days: graceDays },
  ...{ objects: result.objects, files: result.files, leftovers: result.leftovers, foreign: result.foreign },
  ...{ younger: result.younger, failed: result.failed, failures: result.failures, stopped: result.stopped },
});

/**
 * Dead letters of both kinds, for those who operate: look, group, preview, redrive, discard. A dead letter stays until a person
 * settles it.
 *
 * A bulk redrive is many short transactions, oldest first. It leaves no process behind, also when it is slowed down: every event
 * and every task is told when its turn is, by the database's clock. Cut short anywhere, what is done is done and the rest is as it
 * was; the same call goes on with it.
 */
import { AppError } from '@omnizap/runtime';
import {
  createDeadLetterStore,
  deadEvents,
  type DeadLetter,
  type DeadLetterDetail,
  type DeadLetterFilter,
  type DeadLetterSource,
  type DeadLetterStore,
  type Settled,
  type Settlement,
} from '@omnizap/outbox';
import { deadTasks } from './dead-task-store.ts';
import { groupErrors, type ErrorGroup } from './error-groups.ts';
import { createSettle, turnMs, type Schedule, type SettleDeps, type Settler } from './settle-dead-letters.ts';

export const deadLetterLimits = {
  /** Dead letters of one page. */
  page: 200,
  /** Dead letters that one call settles at most. */
  bulk: 10_000,
  ratePerSecond: 1_000,
  reasonLength: 500,
} as const;

/** One transaction: its locks are gone within a fraction of a second. */
const batchSize = 500;
/** Errors that are grouped: the newest ones show today's causes. */
const groupedErrors = 20_000;
const previewedIds = 10;
/** A call that takes longer ends there and says what is left: its client must not give up on it first. */
const bulkTimeMs = 20_000;

export type BulkOptions = {
  settlement: Settlement;
  /** Default and maximum: `deadLetterLimits.bulk`. */
  limit?: number | undefined;
  /** Redrives only; all at once without it. */
  ratePerSecond?: number | undefined;
  onProgress?: (settled: number, matched: number) => void;
};

export type BulkResult = {
  matched: number;
  settled: number;
  /** Of those that matched. */
  left: number;
  /** When the last of them has its turn; null when all of them have it now. */
  until: Date | null;
};

export type ErrorGroups = {
  groups: ErrorGroup[];
  /** How many of the newest were looked at. */
  examined: number;
  total: number;
};

export function createDeadLetters(deps: SettleDeps) {
  const stores: Record<DeadLetterSource, DeadLetterStore> = {
    outbox: createDeadLetterStore(deps.database, deadEvents),
    tasks: createDeadLetterStore(deps.database, deadTasks),
  };
  const settle = createSettle(deps);

  async function settleOne(
    source: DeadLetterSource,
    id: number,
    settlement: Settlement,
    settler: Settler,
  ): Promise<DeadLetter> {
    const { now } = await stores[source].mark();
    const schedule = { startsAt: now, ratePerSecond: undefined };
    const [letter] = await settle(stores[source], [id], { settlement, schedule, position: 0 }, settler);
    if (!letter) throw notFound(source, id);
    return letter;
  }

  async function groups(source: DeadLetterSource, filter: DeadLetterFilter): Promise<ErrorGroups> {
    const heads = await stores[source].heads(filter, groupedErrors);
    const total = heads.length < groupedErrors ? heads.length : await stores[source].count(filter);
    return { groups: groupErrors(heads), examined: heads.length, total };
  }

  return {
    /** A page, newest first. @throws AppError `invalid-cursor` */
    async list(
      source: DeadLetterSource,
      filter: DeadLetterFilter,
      options: { limit: number; cursor?: string | undefined },
    ): Promise<{ letters: DeadLetter[]; nextCursor: string | null }> {
      const beforeId = options.cursor === undefined ? null : parseCursor(options.cursor, source);
      const letters = await stores[source].page(filter, { beforeId, limit: options.limit + 1 });
      const page = letters.slice(0, options.limit);
      const last = page.at(-1);
      return { letters: page, nextCursor: letters.length > page.length && last ? formatCursor(source, last.id) : null };
    },

    /** The causes behind the dead letters that match; of very many, those of the newest. */
    groups,

    /** The whole dead letter with what became of earlier ones of its origin. @throws AppError `not-found` */
    async show(source: DeadLetterSource, id: number): Promise<{ letter: DeadLetterDetail; history: Settled[] }> {
      const letter = await stores[source].find(id);
      if (!letter) throw notFound(source, id);
      return { letter, history: await stores[source].history(letter.origin) };
    },

    /** What became of the dead letters of one origin, the newest first. */
    history: (source: DeadLetterSource, origin: string): Promise<Settled[]> => stores[source].history(origin),

    /** Runs it again, attempts counted from zero. @throws AppError `not-found`, also when somebody else has just settled it */
    redrive: (source: DeadLetterSource, id: number, settler: Settler): Promise<DeadLetter> =>
      settleOne(source, id, 'redriven', settler),

    /** @throws AppError `not-found`, and `validation-failed` without a reason */
    async discard(source: DeadLetterSource, id: number, settler: Settler): Promise<DeadLetter> {
      requireReason(settler);
      return settleOne(source, id, 'discarded', settler);
    },

    /** What `settleAll` would do now; changes nothing. */
    async preview(
      source: DeadLetterSource,
      filter: DeadLetterFilter,
      options: Pick<BulkOptions, 'limit' | 'ratePerSecond'> = {},
    ): Promise<BulkResult & { groups: ErrorGroup[]; firstIds: number[] }> {
      const store = stores[source];
      const { newestId, now } = await store.mark();
      const matched = await store.count(filter, { upToId: newestId });
      const settled = Math.min(matched, options.limit ?? deadLetterLimits.bulk);
      const first = await store.next(filter, { after: 0, upToId: newestId, limit: previewedIds });
      return {
        matched,
        settled,
        left: matched - settled,
        until: lastTurn({ startsAt: now, ratePerSecond: options.ratePerSecond }, settled),
        groups: (await groups(source, filter)).groups,
        firstIds: first.map(({ id }) => id),
      };
    },

    /**
     * Redrives or discards what matches, oldest first. Dead letters that come meanwhile are left alone.
     * @throws AppError `validation-failed` for a discard without a reason
     */
    async settleAll(
      source: DeadLetterSource,
      filter: DeadLetterFilter,
      options: BulkOptions,
      settler: Settler,
    ): Promise<BulkResult> {
      if (options.settlement === 'discarded') requireReason(settler);
      const store = stores[source];
      const { newestId, now } = await store.mark();
      const matched = await store.count(filter, { upToId: newestId });
      const schedule: Schedule = { startsAt: now, ratePerSecond: options.ratePerSecond };
      const most = Math.min(options.limit ?? deadLetterLimits.bulk, deadLetterLimits.bulk);
      const endsAt = performance.now() + bulkTimeMs;
      let settled = 0;
      let after = 0;
      while (settled < most && performance.now() < endsAt) {
        const found = await store.next(filter, { after, upToId: newestId, limit: Math.min(batchSize, most - settled) });
        const last = found.at(-1);
        if (!last) break;
        after = last.position;
        const ids = found.map(({ id }) => id);
        const { settlement } = options;
        const letters = await settle(store, ids, { settlement, schedule, position: settled, filter }, settler);
        settled += letters.length;
        options.onProgress?.(settled, matched);
      }
      const left = await store.count(filter, { upToId: newestId });
      return { matched, settled, left, until: lastTurn(schedule, settled) };
    },
  };
}

export type DeadLetters = ReturnType<typeof createDeadLetters>;

function lastTurn(schedule: Schedule, count: number): Date | null {
  if (schedule.ratePerSecond === undefined || count === 0) return null;
  return new Date(schedule.startsAt.getTime() + turnMs(schedule, count - 1));
}

function requireReason(settler: Settler): void {
  if ((settler.reason ?? '').trim() === '')
    throw new AppError('validation-failed', 'A discard needs a reason: it is all that will be left to explain it.');
}

function notFound(source: DeadLetterSource, id: number): AppError {
  return new AppError('not-found', `There is no dead letter ${id} of ${source}: it was settled already, or never was.`);
}

function formatCursor(source: DeadLetterSource, id: number): string {
  return Buffer.from(`${source}:${id}`).toString('base64url');
}

/** @throws AppError `invalid-cursor` */
function parseCursor(cursor: string, source: DeadLetterSource): number {
  const [, id] = new RegExp(`^${source}:(\\d{1,15})$`).exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (id === undefined)
    throw new AppError(
      'invalid-cursor',
      `The cursor is none of the dead letters of ${source}: start again without it.`,
    );
  return Number(id);
}

/**
 * SQL of requests that carry an idempotency key. A row is claimed before the work begins and says `written` from the very
 * transaction that did it, so that whoever finds it after a crash knows whether the work was done.
 */
import { randomUUID } from 'node:crypto';
import { affectedRows, rowsOf, type Database, type Transaction } from './database.ts';
import { sqlNow, sqlNowPlus } from './sql-time.ts';

/** Far longer than any request takes: its claim is given up even if its process lives on, and the fence keeps it from writing. */
const claimMs = 5 * 60_000;
/** Somebody may insert the row between the look for it and the attempt to, and forget it before the next look. */
const claimAttempts = 3;

/** The right to carry out a request; `claimId` is the fence: who took over has another. */
export type Claim = { keySha256: string; claimId: string };

export type RecordedAnswer = { status: number; headers: Record<string, string>; body: string | null };

export type StoredRequest = {
  fingerprintSha256: string;
  state: 'claimed' | 'written' | 'answered';
  claimId: string;
  /** Somebody is at it: its process lives, and the claim is not old. */
  isInFlight: boolean;
  /** What the transaction that wrote returned, as JSON. */
  outcome: string | null;
  /** Null also when it was not kept. */
  answer: RecordedAnswer | null;
};

type Row = {
  fingerprint_sha256: string;
  state: StoredRequest['state'];
  claim_id: string;
  is_in_flight: number;
  outcome: string | null;
  status: number | null;
  headers: string | null;
  body: string | null;
};

export type IdempotencyStore = ReturnType<typeof createIdempotencyStore>;

export function createIdempotencyStore(database: Database, processId: string) {
  const { knex, kind } = database;
  const now = sqlNow(kind);
  const inFlight = `(k.process_id IS NOT NULL AND k.claimed_at > ${sqlNowPlus(kind, -claimMs)} AND EXISTS (
    SELECT 1 FROM process_lease l WHERE l.process_id = k.process_id AND l.expires_at > ${now}))`;

  async function insert(claim: Claim, fingerprintSha256: string): Promise<boolean> {
    const [verb, onConflict] =
      kind === 'mysql' ? ['INSERT IGNORE', ''] : ['INSERT', 'ON CONFLICT (key_sha256) DO NOTHING'];
    const result: unknown = await knex.raw(
      `${verb} INTO idempotency_key (key_sha256, fingerprint_sha256, claim_id, process_id) VALUES (?, ?, ?, ?) ${onConflict}`,
      [claim.keySha256, fingerprintSha256, claim.claimId, processId],
    );
    return affectedRows(result) === 1;
  }

  async function find(keySha256: string): Promise<StoredRequest | null> {
    const result: unknown = await knex.raw(
      `SELECT k.fingerprint_sha256, k.state, k.claim_id, CASE WHEN ${inFlight} THEN 1 ELSE 0 END AS is_in_flight,
              k.outcome, k.status, k.headers, k.body
         FROM idempotency_key k WHERE k.key_sha256 = ?`,
      [keySha256],
    );
    const row = rowsOf<Row>(result)[0];
    if (!row) return null;
    return {
      fingerprintSha256: row.fingerprint_sha256,
      state: row.state,
      claimId: row.claim_id,
      isInFlight: row.is_in_flight === 1,
      outcome: row.outcome,
      answer:
        row.status === null
          ? null
          : {
              status: row.status,
              headers: JSON.parse(row.headers ?? '{}') as Record<string, string>,
              body: row.body,
            },
    };
  }

  return {
    /** Null: the request of this key is the caller's to carry out. Else what is known of it. */
    async claim(claim: Claim, fingerprintSha256: string): Promise<StoredRequest | null> {
      for (let attempt = 1; ; attempt += 1) {
        // Looked for first: on MySQL an insert that finds the key waits for whoever is changing its row.
        const found = await find(claim.keySha256);
        if (found) return found;
        if (await insert(claim, fingerprintSha256)) return null;
        if (attempt === claimAttempts) throw new Error('An idempotency key comes and goes');
      }
    },

    /** Takes a claim over whose holder is gone. False: somebody else was faster, or the holder did it after all. */
    async takeOver(claim: Claim, before: string): Promise<boolean> {
      const result: unknown = await knex.raw(
        `UPDATE idempotency_key SET claim_id = ?, process_id = ?, claimed_at = ${now}
          WHERE key_sha256 = ? AND claim_id = ? AND state = 'claimed'`,
        [claim.claimId, processId, claim.keySha256, before],
      );
      return affectedRows(result) === 1;
    },

    /** Part of the transaction that does the work. False: the claim was taken over, and nothing may be written. */
    async markWritten(trx: Transaction, claim: Claim, outcome: string | null): Promise<boolean> {
      const marked = await trx('idempotency_key')
        .where({ key_sha256: claim.keySha256, claim_id: claim.claimId })
        .whereNot({ state: 'answered' })
        .update({ state: 'written', outcome });
      return marked === 1;
    },

    /** `answer` null: it was given, and is not to be kept. */
    async recordAnswer(claim: Claim, answer: RecordedAnswer | null): Promise<void> {
      await knex('idempotency_key')
        .where({ key_sha256: claim.keySha256, claim_id: claim.claimId })
        .update({
          state: 'answered',
          outcome: null,
          process_id: null,
          status: answer?.status ?? null,
          headers: answer ? JSON.stringify(answer.headers) : null,
          body: answer?.body ?? null,
        });
    },

    /**
     * Nobody is at it any more. If nothing was written the key is as good as new; who is not sure need not know: a commit whose
     * confirmation was lost is waited for here.
     */
    async giveUp(claim: Claim): Promise<void> {
      const own = { key_sha256: claim.keySha256, claim_id: claim.claimId };
      const forgotten = await knex('idempotency_key')
        .where({ ...own, state: 'claimed' })
        .delete();
      if (forgotten === 0) await knex('idempotency_key').where(own).update({ process_id: null });
    },
  };
}

export function newClaim(keySha256: string): Claim {
  return { keySha256, claimId: randomUUID() };
}

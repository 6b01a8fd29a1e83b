/**
 * A POST that carries an Idempotency-Key is carried out once, whatever dies meanwhile. The key is claimed before the work; each
 * transaction of the request marks it as written before it commits, so mark and work are there together or not at all; the answer is
 * kept when it is known. Prefers to say that an answer is lost to doing the work twice. Why so: runbooks/decisions/0018.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import {
  AppError,
  createIdempotencyStore,
  newClaim,
  type Claim,
  type Database,
  type Logger,
  type StoredRequest,
} from '@omnizap/runtime';
import { parseIdempotencyKey } from './idempotency-key.ts';
import type { Answer, Call, Operation } from './operation.ts';

/** Answers of our POSTs have a few kilobytes; what is larger is not kept. */
const maxKeptCharacters = 256 * 1_024;

type Carried = { operation: Operation; call: Call };

type Scope = Carried & {
  claim: Claim;
  isClaimed: boolean;
  /** False when the handler has come to its end: what still runs then is none of the request's work. */
  isOpen: boolean;
  takeClaim: (bodySha256: string) => Promise<void>;
};

const scopes = new AsyncLocalStorage<Scope>();

/** Ends the work that turned out to be done already. */
class ReplayError extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super('This request was carried out before');
    this.answer = answer;
  }
}

/**
 * Whoever reads a body himself says what was in it, before anything is written. Bytes on the wire will not do: the same form has
 * another boundary each time. @throws what ends the request when it was carried out before, or is being carried out
 */
export async function noteReceivedBody(parts: string[]): Promise<void> {
  const scope = scopes.getStore();
  if (scope?.isOpen === true) await scope.takeClaim(sha256(...parts));
}

export type Idempotency = ReturnType<typeof createIdempotency>;

export function createIdempotency(deps: { database: Database; processId: string; log: Logger }) {
  const { database, log } = deps;
  const store = createIdempotencyStore(database, deps.processId);

  /** The catalogue's database, whose transactions mark the key of the request that they are part of. */
  const marking: Database = {
    ...database,
    async transaction(work) {
      const scope = scopes.getStore();
      if (scope?.isOpen !== true) return database.transaction(work);
      if (!scope.isClaimed) throw new Error(`${scope.operation.id} writes before it has said what body it received`);
      return database.transaction(async (trx) => {
        const done = await work(trx);
        const outcome = scope.operation.hasSecretAnswer === true ? null : textOf(done);
        // Last in the transaction: the row is locked for as short as can be.
        if (!(await store.markWritten(trx, scope.claim, outcome))) throw inFlight();
        return done;
      });
    },
  };

  async function takeClaim(scope: Scope, fingerprint: string): Promise<void> {
    let found = await store.claim(scope.claim, fingerprint);
    if (found?.state === 'claimed' && !found.isInFlight && found.fingerprintSha256 === fingerprint) {
      if (!(await store.takeOver(scope.claim, found.claimId))) throw inFlight();
      found = null;
    }
    scope.isClaimed = found === null;
    if (found) throw new ReplayError(await answerOf(scope, found, fingerprint));
  }

  /** @throws AppError `idempotency-key-reused`, `request-in-flight`, `answer-lost` */
  async function answerOf(scope: Scope, found: StoredRequest, fingerprint: string): Promise<Answer> {
    if (found.fingerprintSha256 !== fingerprint)
      throw new AppError(
        'idempotency-key-reused',
        'This Idempotency-Key was sent with another request: take a new key for each new request.',
      );
    if (found.state !== 'answered' && found.isInFlight) throw inFlight();
    if (found.answer) {
      const { status, headers, body } = found.answer;
      return { status, headers, ...(body === null ? {} : { body: JSON.parse(body) as unknown }) };
    }
    const recover = found.state === 'written' ? scope.operation.recover : undefined;
    const outcome: unknown = found.outcome === null ? null : JSON.parse(found.outcome);
    scope.isOpen = false;
    const recovered = await recover?.(scope.call, outcome);
    if (!recovered) throw answerLost(scope.operation);
    await keep(scope.operation, { ...scope.claim, claimId: found.claimId }, recovered);
    return recovered;
  }

  async function keep({ hasSecretAnswer }: Operation, claim: Claim, answer: Answer): Promise<void> {
    if (answer === 'written') throw new Error('An answer that the handler writes by itself cannot be given again');
    const body = answer.body === undefined ? null : JSON.stringify(answer.body);
    const isKept = hasSecretAnswer !== true && (body?.length ?? 0) <= maxKeptCharacters;
    await store.recordAnswer(claim, isKept ? { status: answer.status, headers: answer.headers ?? {}, body } : null);
  }

  /** The client has waited long enough, and what it asked for is decided: the row is tidied up as far as can be. */
  async function tidyUp(work: Promise<void>, requestId: string): Promise<void> {
    await work.catch((error: unknown) =>
      log.warn({ err: error, request_id: requestId }, 'an idempotency key could not be brought up to date'),
    );
  }

  return {
    database: marking,

    /** Does the work, or gives the answer that it had before. A handler with a `rawBody` calls `noteReceivedBody`. */
    async carryOut(carried: Carried & { key: string; body: unknown }, handle: () => Promise<Answer>): Promise<Answer> {
      const { operation, call } = carried;
      const ownerId = call.actor?.ownerId ?? '';
      const scope: Scope = {
        operation,
        call,
        claim: newClaim(sha256(ownerId, carried.key)),
        isClaimed: false,
        isOpen: true,
        takeClaim: (bodySha256) =>
          takeClaim(scope, sha256(call.request.method, call.request.originalUrl, ownerId, bodySha256)),
      };
      return scopes.run(scope, async () => {
        try {
          if (!operation.rawBody) await scope.takeClaim(sha256(JSON.stringify(carried.body ?? null)));
          const answer = await handle();
          scope.isOpen = false;
          await tidyUp(keep(operation, scope.claim, answer), call.requestId);
          return answer;
        } catch (error) {
          scope.isOpen = false;
          if (error instanceof ReplayError && error.answer !== 'written') {
            const headers = { ...error.answer.headers, 'Idempotency-Replayed': 'true' };
            return { ...error.answer, headers };
          }
          // What was refused changed nothing and may be tried again; what failed after it was done stays marked.
          if (scope.isClaimed) await tidyUp(store.giveUp(scope.claim), call.requestId);
          throw error;
        }
      });
    },
  };
}

/**
 * The key that makes this request one to be carried out once; undefined for any other. Only POSTs of key holders are: nobody in
 * particular has no keys of their own. @throws AppError `invalid-parameter`
 */
export function idempotencyKeyOf({ operation, call }: Carried): string | undefined {
  if (operation.method !== 'post' || call.actor === null) return undefined;
  return parseIdempotencyKey(call.request.get('idempotency-key'));
}

function inFlight(): AppError {
  return new AppError(
    'request-in-flight',
    'The request with this Idempotency-Key is still being carried out: ask again in a moment.',
  );
}

function answerLost(operation: Operation): AppError {
  return new AppError(
    'answer-lost',
    operation.hasSecretAnswer === true
      ? 'This was carried out before. Its answer holds a secret and is not kept: undo it and ask anew with another key.'
      : 'This was carried out before, but its answer was lost: look at what there is now before you ask with another key.',
  );
}

function textOf(result: unknown): string | null {
  const text = JSON.stringify(result) as string | undefined;
  return text === undefined || text.length > maxKeptCharacters ? null : text;
}

function sha256(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

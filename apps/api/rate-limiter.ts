/**
 * Requests per minute of one client, counted by all API processes together. One statement per request, none for who is over the
 * limit already. When the database cannot count, each process counts for itself: a limiter that fails must not fail the request.
 */
import { createRequire } from 'node:module';
import type { Request, Response } from 'express';
import { RateLimiterMemory, RateLimiterRes, type RateLimiterStoreAbstract } from 'rate-limiter-flexible';
import { AppError, createRateLimitStore, type Config, type Database } from '@omnizap/runtime';
import type { Identity } from './authentication.ts';
import { limitClasses, type LimitClass } from './limit-classes.ts';
import { viewerOf } from './viewer.ts';

const windowSeconds = 60;
/** A count that takes longer is not worth waiting for. */
const patienceMs = 1_000;
/** After a failure the database is left alone for so long. */
const restMs = 5_000;

/** The parts of the library that a store fills in; it declares the class's type and leaves the class out of its door. */
type StoreLimiter = RateLimiterStoreAbstract & {
  points: number;
  _upsert: (key: string, points: number, msDuration: number) => Promise<Counted>;
  _getRateLimiterRes: (key: string, changedPoints: number, counted: Counted) => RateLimiterRes;
};
type StoreLimiterClass = new (
  options: Omit<ConstructorParameters<typeof RateLimiterStoreAbstract>[0], 'storeClient'>,
) => StoreLimiter;
const StoreAbstract = createRequire(import.meta.url)(
  'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js',
) as StoreLimiterClass;

type Counted = { consumed: number; msLeft: number };

type Limits = Pick<
  Config,
  | 'STICKER_RATE_LIMIT_READS_PER_MINUTE'
  | 'STICKER_RATE_LIMIT_WRITES_PER_MINUTE'
  | 'STICKER_RATE_LIMIT_UPLOADS_PER_MINUTE'
  | 'STICKER_RATE_LIMIT_COUNTS_PER_MINUTE'
  | 'STICKER_RATE_LIMIT_ADMIN_PER_MINUTE'
  | 'STICKER_RATE_LIMIT_SIGN_INS_PER_MINUTE'
>;

export type RateLimiter = ReturnType<typeof createRateLimiter>;

export function createRateLimiter(database: Database, config: Limits) {
  const pointsOf: Record<LimitClass, number> = {
    read: config.STICKER_RATE_LIMIT_READS_PER_MINUTE,
    write: config.STICKER_RATE_LIMIT_WRITES_PER_MINUTE,
    upload: config.STICKER_RATE_LIMIT_UPLOADS_PER_MINUTE,
    count: config.STICKER_RATE_LIMIT_COUNTS_PER_MINUTE,
    admin: config.STICKER_RATE_LIMIT_ADMIN_PER_MINUTE,
    'sign-in': config.STICKER_RATE_LIMIT_SIGN_INS_PER_MINUTE,
  };
  const count = createPatientCount(database);
  const limiters = new Map(
    limitClasses
      .filter((name) => pointsOf[name] > 0)
      .map((name): [LimitClass, StoreLimiter] => [name, createStoreLimiter(name, pointsOf[name], count)]),
  );

  return {
    /** Counts the request and says so in the answer. @throws AppError `rate-limited` */
    async take(
      request: Request,
      response: Response,
      limit: LimitClass | 'none',
      actor: Identity | null,
    ): Promise<void> {
      const limiter = limit === 'none' ? undefined : limiters.get(limit);
      if (!limiter) return;
      const client = actor ? `key:${actor.keyId}` : `address:${viewerOf(request).address}`;
      const result = await limiter.consume(client).catch((refused: unknown) => {
        if (refused instanceof RateLimiterRes) return refused;
        throw refused;
      });
      const isOver =
        result.remainingPoints === 0 && (result.consumedPoints === 0 || result.consumedPoints > limiter.points);
      const secondsLeft = Math.max(1, Math.ceil(result.msBeforeNext / 1_000));
      response.set({
        'RateLimit-Policy': `"${limit}";q=${limiter.points};w=${windowSeconds}`,
        RateLimit: `"${limit}";r=${result.remainingPoints};t=${secondsLeft}`,
      });
      if (!isOver) return;
      response.set('Retry-After', String(secondsLeft));
      throw new AppError(
        'rate-limited',
        `More than ${limiter.points} requests of this kind in a minute: go on in ${secondsLeft} s.`,
      );
    },
  };
}

function createStoreLimiter(
  name: LimitClass,
  points: number,
  count: (key: string, points: number) => Promise<Counted>,
): StoreLimiter {
  const options = { keyPrefix: name, points, duration: windowSeconds };
  const limiter = new StoreAbstract({
    ...options,
    // Whoever has used up a window is refused from memory until it is over: an attacker makes no writes.
    inMemoryBlockOnConsumed: points,
    insuranceLimiter: new RateLimiterMemory(options),
  });
  return Object.assign(limiter, {
    _upsert: count,
    _getRateLimiterRes: (_key: string, changed: number, { consumed, msLeft }: Counted) =>
      new RateLimiterRes(Math.max(0, points - consumed), msLeft, consumed, consumed === changed),
  });
}

/** Counts in the database, within a second or not at all. */
function createPatientCount(database: Database): (key: string, points: number) => Promise<Counted> {
  const store = createRateLimitStore(database);
  const windowMs = windowSeconds * 1_000;
  let restsUntil = 0;

  return async (key, points) => {
    if (performance.now() < restsUntil) throw new Error('The database is not asked to count for now');
    const now = Date.now();
    const counting = store.count(key, Math.floor(now / windowMs), points);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(reject, patienceMs, new Error(`The database did not count within ${patienceMs} ms`));
    });
    try {
      return { consumed: await Promise.race([counting, tooLate]), msLeft: windowMs - (now % windowMs) };
    } catch (error) {
      restsUntil = performance.now() + restMs;
      throw error;
    } finally {
      clearTimeout(timer);
      counting.catch(() => undefined);
    }
  };
}

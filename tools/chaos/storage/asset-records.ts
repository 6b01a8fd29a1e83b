/** What a client asked of a sticker's bytes, and what came of it: the harness's side of the ledger. */

/** `whole`: a plain GET; `part`: with Range; `known`: with the ETag of what it has. */
export type AssetWay = 'whole' | 'part' | 'known';

export type AssetRecord = {
  path: string;
  way: AssetWay;
  startedAt: number;
  /** When the API had answered; the end of the answer, or of the redirect. */
  answeredAt: number;
  endedAt: number;
  /** Of the last answer; 0 without one. */
  status: number;
  /** When the client was sent on to the bucket; null when it was not. */
  handedOutAt: number | null;
  /** What was wrong; null for the right bytes, or a 304 for them. */
  problem: string | null;
  /** The problem is that somebody had waited too long: the client for an answer, or the API for its database (503). */
  isLate: boolean;
  /** What the harness itself did explains it: its pack was being deleted, its file was damaged. */
  isExplained: boolean;
};

/** One time without the S3 server. */
export type Outage = {
  killedAt: number;
  /** It was started again, and may answer from here on. */
  revivedAt: number;
  /** It answered again for certain. */
  answersAt: number;
};

/** What one API process said of the bucket. */
export type BreakerLook = {
  atMs: number;
  pid: number;
  isUsable: boolean;
  /** Answers so far that were the bucket's, or led there. */
  fromBucket: number;
};

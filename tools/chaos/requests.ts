/** What a client asked and was told: the harness's side of the ledger. */

export type Operation =
  | 'create'
  | 'upload'
  | 'publish'
  | 'delete'
  | 'open'
  | 'like'
  | 'dislike'
  /** Reads change nothing; they show whether the service answers. */
  | 'list'
  | 'detail';

/**
 * `ok`: the client was told that it happened. `refused`: it was told that nothing happened (4xx), or could not connect at all.
 * `unknown`: it was told nothing it can rely on (5xx, connection lost, time out): it may have happened, or may happen yet.
 */
export type Outcome = 'ok' | 'refused' | 'unknown';

export type RequestRecord = {
  /** Sent as X-Request-Id. */
  id: string;
  operation: Operation;
  startedAt: number;
  endedAt: number;
  outcome: Outcome;
  /** 0 without an answer. */
  status: number;
  /** Problem code, or the error of the connection. */
  code?: string;
  ownerId?: string;
  /** Name of the pack that the request is about: unique, chosen by the client, so known also when a create went unanswered. */
  pack?: string;
  /** Of the picture. */
  sha256?: string;
  /** The picture may be refused by the workers: it does not decode. */
  isBroken?: boolean;
  viewer?: string;
  /** From the answer. */
  packKey?: string;
  stickerId?: string;
};

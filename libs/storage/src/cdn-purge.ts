/** Tells whoever keeps copies, a CDN by way of an operator's hook, to forget them. */
import { AppError } from '@omnizap/runtime';

export type Purged = {
  /** Whole addresses under the CDN's own base. */
  urls: string[];
  /** Paths of the API, whatever query follows them. */
  paths: string[];
};

/** @throws AppError `storage-failed` when the hook does not answer 2xx in time */
export type PurgeCdn = (what: Purged, signal?: AbortSignal) => Promise<void>;

const timeoutMs = 10_000;

export function createCdnPurge(options: { url: string; token: string | undefined }): PurgeCdn {
  return async (what, signal) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(options.url, {
      method: 'POST',
      redirect: 'error',
      headers: {
        'Content-Type': 'application/json',
        ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
      },
      body: JSON.stringify(what),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    }).catch((error: unknown) => {
      throw new AppError('storage-failed', 'The purge hook of the CDN cannot be reached.', { cause: error });
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new AppError('storage-failed', `The purge hook of the CDN answered ${answer.status}.`);
  };
}

/** Bytes of ours as an answer: Range, HEAD and conditional requests as the headers set before say. */
import type { Request, Response } from 'express';
import send from 'send';
import { AppError } from '@omnizap/runtime';

/**
 * Sends the file `name` under `root`, and settles when the connection is done with it.
 * @throws AppError `unavailable` when it is not there, `range-not-satisfiable`, `precondition-failed`
 */
export async function sendStoredFile(
  request: Request,
  response: Response,
  file: { root: string; name: string; sizeBytes: number },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    send(request, file.name, {
      root: file.root,
      dotfiles: 'allow',
      etag: false,
      lastModified: false,
      cacheControl: false,
      index: false,
    })
      .on('error', (error: NodeJS.ErrnoException & { status?: number }) => {
        if (error.status === 404)
          reject(new AppError('unavailable', 'These bytes are not on this host.', { cause: error }));
        else if (error.status === 416) {
          response.set('Content-Range', `bytes */${file.sizeBytes}`);
          reject(new AppError('range-not-satisfiable', `The file has ${file.sizeBytes} bytes.`, { cause: error }));
        } else if (error.status === 412) {
          reject(new AppError('precondition-failed', 'The file is not the one that If-Match names.', { cause: error }));
        } else reject(error);
      })
      .pipe(response);
    response.once('close', resolve);
  });
}

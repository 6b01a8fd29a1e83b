/**
 * Reads one uploaded file and its text fields. The file streams to disk while it is hashed, so memory does not depend on its size.
 * Anything unexpected ends the request with a clear error; the temporary file is removed by the caller whatever happens.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Transform, type Readable } from 'node:stream';
import busboy from 'busboy';
import type { Request } from 'express';
import { AppError } from '@omnizap/runtime';
import { noteReceivedBody } from './idempotency.ts';

export type ReceivedFile = { sha256: string; sizeBytes: number; fields: Map<string, string> };

type Options = { fileField: string; textFields: readonly string[]; maxBytes: number; path: string };

const maxTextBytes = 4_096;
/** Boundaries and headers of the parts. */
const overheadBytes = 64 * 1_024;

/**
 * @throws AppError `unsupported-media-type`, `payload-too-large`, `validation-failed`, `bad-request`, and what `noteReceivedBody`
 * throws: it must come before anything is written.
 */
export async function receiveFile(request: Request, options: Options): Promise<ReceivedFile> {
  if (request.is('multipart/form-data') !== 'multipart/form-data') {
    throw new AppError(
      'unsupported-media-type',
      `Send the sticker as multipart/form-data with the file in field "${options.fileField}".`,
    );
  }
  if (Number(request.headers['content-length'] ?? 0) > options.maxBytes + overheadBytes)
    throw tooLarge(options.maxBytes);

  const parser = openParser(request, options);
  const fields = new Map<string, string>();
  const stopped = new AbortController();
  let received: Promise<{ sha256: string; sizeBytes: number }> | undefined;

  await new Promise<void>((resolve, reject) => {
    const refuse = (error: AppError): void => {
      stopped.abort(error);
      request.unpipe(parser);
      reject(error);
    };
    parser.on('file', (name, stream) => {
      if (name !== options.fileField || received) {
        stream.on('error', () => undefined).resume();
        refuse(invalidField(name, `is not expected: send one file in field "${options.fileField}".`));
        return;
      }
      stream.once('limit', () => refuse(tooLarge(options.maxBytes)));
      received = writeHashed(stream, options.path, stopped.signal);
      received.catch((error: unknown) => reject(error instanceof Error ? error : new Error(String(error))));
    });
    parser.on('field', (name, value, info) => {
      if (typeof (value as unknown) !== 'string')
        refuse(invalidField(name, 'comes in a character set that is not supported.'));
      else if (!options.textFields.includes(name) || fields.has(name))
        refuse(invalidField(name, 'is not expected here.'));
      else if (info.valueTruncated) refuse(invalidField(name, `must have at most ${maxTextBytes} bytes.`));
      else fields.set(name, value);
    });
    parser.on('partsLimit', () => refuse(new AppError('validation-failed', 'The form has too many parts.')));
    parser.on('error', (error) =>
      refuse(
        new AppError('bad-request', 'The multipart body cannot be read: it ends too early or is malformed.', {
          cause: error,
        }),
      ),
    );
    parser.on('close', resolve);
    request.once('close', () => {
      if (!request.complete) refuse(new AppError('bad-request', 'The upload was cut off.'));
    });
    request.pipe(parser);
  }).catch(async (error: unknown) => {
    // The caller removes the file: not before it was certainly made.
    await received?.catch(() => undefined);
    throw error;
  });
  if (!received) throw invalidField(options.fileField, 'is missing: it holds the sticker.');
  const file = await received;
  await noteReceivedBody([file.sha256, JSON.stringify([...fields].toSorted())]);
  return { ...file, fields };
}

function openParser(request: Request, options: Options): busboy.Busboy {
  try {
    return busboy({
      headers: request.headers,
      limits: {
        // busboy calls a part that is exactly at its limit too large.
        fileSize: options.maxBytes + 1,
        files: 2,
        fields: options.textFields.length + 1,
        fieldSize: maxTextBytes + 1,
        fieldNameSize: 64,
        parts: 8,
        headerPairs: 50,
      },
    });
  } catch (error) {
    throw new AppError('bad-request', 'The multipart body cannot be read: its Content-Type has no valid boundary.', {
      cause: error,
    });
  }
}

async function writeHashed(
  stream: Readable,
  path: string,
  signal: AbortSignal,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  // Settles only when the file is closed, so whoever waits for it may remove the file.
  await pipeline(stream, hashing, createWriteStream(path, { mode: 0o600 }), { signal });
  return { sha256: hash.digest('hex'), sizeBytes };
}

function tooLarge(maxBytes: number): AppError {
  return new AppError(
    'payload-too-large',
    `The file is larger than ${maxBytes / 1_024 / 1_024} MiB, which is the most that is taken.`,
  );
}

function invalidField(name: string | undefined, problem: string): AppError {
  const shown = (name ?? '').slice(0, 64);
  return new AppError('validation-failed', `Field "${shown}" ${problem}`, {
    fields: [{ pointer: `/${shown}`, detail: problem }],
  });
}

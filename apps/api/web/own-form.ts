/** Forms of our own pages: they come from this site, and hold what was asked for. */
import express, { type Request, type Response } from 'express';
import type { z } from 'zod';
import { AppError } from '@omnizap/runtime';
import { isFromOtherOrigin } from '../request-origin.ts';

/** A thousand characters of any script, escaped, and the names. */
const maxFormBytes = 16 * 1_024;
const maxFields = 20;
const formType = 'application/x-www-form-urlencoded';
const parseForm = express.urlencoded({
  extended: false,
  limit: maxFormBytes,
  parameterLimit: maxFields,
  type: formType,
});

/** Nobody is to like, report or be signed in as somebody else by a page of theirs. @throws AppError `forbidden` */
export function requireOwnPage(request: Request): void {
  if (isFromOtherOrigin(request)) throw new AppError('forbidden', 'This form is taken from its own page only.');
}

/** @throws AppError `unsupported-media-type`, `payload-too-large`, `validation-failed` */
export async function readForm<S extends z.ZodObject>(
  request: Request,
  response: Response,
  schema: S,
): Promise<z.output<S>> {
  if (request.is(formType) === false)
    throw new AppError('unsupported-media-type', `A form is sent as "Content-Type: ${formType}".`);
  await new Promise<void>((resolve, reject) => {
    void parseForm(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error('body-parser failed', { cause: error }));
    });
  });
  const result = schema.safeParse((request.body as unknown) ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError('validation-failed', `The form is not valid: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** The fields of a small form that a page sends. */
import express, { type Request, type Response } from 'express';
import type { z } from 'zod';
import { AppError } from '@omnizap/runtime';

const formType = 'application/x-www-form-urlencoded';
const maxFormBytes = 4 * 1_024;
const parseForm = express.urlencoded({ extended: false, limit: maxFormBytes, parameterLimit: 10, type: formType });

/** What it refuses it does not repeat: a form may hold a secret. @throws AppError `unsupported-media-type`, `validation-failed` */
export async function readForm<S extends z.ZodObject>(
  request: Request,
  response: Response,
  schema: S,
): Promise<z.output<S>> {
  if (request.is(formType) !== formType) throw new AppError('unsupported-media-type', `The form must be ${formType}.`);
  await new Promise<void>((resolve, reject) => {
    void parseForm(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error('body-parser failed', { cause: error }));
    });
  });
  const form = schema.safeParse(request.body ?? {});
  if (!form.success)
    throw new AppError('validation-failed', `The form is not valid: ${form.error.issues[0]?.path.join('.')}.`);
  return form.data;
}

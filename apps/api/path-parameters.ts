/** What may stand in each place of a path; handlers answer 404 to the rest. An operation can bring a schema of its own. */
import { z } from 'zod';
import { idPattern, packKeyPattern, taskTypes } from '@omnizap/catalog';
import { flagNames } from '@omnizap/rollout';
import type { ErrorCode } from '@omnizap/runtime';

type PathParameter = { schema: z.ZodType; missing: ErrorCode };

const rowId = z.string().regex(/^\d{1,15}$/);

const pathParameters: Readonly<Record<string, PathParameter>> = {
  packKey: { schema: z.string().regex(packKeyPattern), missing: 'pack-not-found' },
  stickerId: { schema: z.string().regex(idPattern), missing: 'sticker-not-found' },
  keyId: { schema: z.string().regex(/^[0-9a-f]{16}$/), missing: 'not-found' },
  webhookId: { schema: z.uuid(), missing: 'not-found' },
  banId: { schema: z.uuid(), missing: 'not-found' },
  reportId: { schema: rowId, missing: 'not-found' },
  id: { schema: rowId, missing: 'not-found' },
  runId: { schema: rowId, missing: 'not-found' },
  rolloutRequestId: { schema: rowId, missing: 'not-found' },
  flagName: { schema: z.enum(flagNames), missing: 'flag-unknown' },
  taskType: { schema: z.enum(taskTypes), missing: 'not-found' },
};

/** The schema of the parameter for the document; of an unknown name, a short text. */
export function pathParameterSchema(name: string): z.ZodType {
  return pathParameters[name]?.schema ?? z.string().min(1).max(128);
}

/** What is answered when there is nothing behind the parameter's value. */
export function missingCodeOf(name: string): ErrorCode {
  return pathParameters[name]?.missing ?? 'not-found';
}

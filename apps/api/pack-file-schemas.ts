/** Schemas of what the validator adds to answers. */
import { z } from 'zod';
import { findingSchema } from './finding-json.ts';
import { addedStickerSchema, packSummary } from './schemas.ts';

const findings = z.array(findingSchema);

export const judgedStickerSchema = z.object({ data: addedStickerSchema.shape.data.extend({ findings }) });
export const importedPackSchema = z.object({ data: packSummary.extend({ findings }) });
export const publishedPackSchema = z.object({ data: packSummary.extend({ findings }) });

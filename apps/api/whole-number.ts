import { z } from 'zod';

/** A whole number in a query: text on the wire, checked as such, a number in the document and for the handler. */
export function wholeNumber(min: number, max: number, fallback: number, description: string) {
  const problem = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(new RegExp(`^\\d{1,${String(max).length}}$`), problem)
    .transform(Number)
    .refine((value) => value >= min && value <= max, problem)
    .default(fallback)
    .meta({ type: 'integer', minimum: min, maximum: max, default: fallback, description });
}

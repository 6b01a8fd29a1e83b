/**
 * The one error type of the product, and the table that says what each code means to a client (HTTP status), to a queue
 * (is trying again any use) and to an operator (log level). runbooks/errors.md lists the same codes; a test compares them.
 */
import { format } from 'node:util';

type ErrorEntry = {
  /** HTTP status when it reaches a client. */
  status: number;
  /** Short, constant title (RFC 9457 `title`). */
  title: string;
  /** May the same request succeed later without a change by the caller? */
  retryable: boolean;
  /** Level at which an unhandled occurrence is logged: `error` means that a person must act. */
  level: 'info' | 'warn' | 'error';
};

export const errorRegistry = {
  'bad-request': { status: 400, title: 'Bad request', retryable: false, level: 'info' },
  'malformed-json': { status: 400, title: 'The body is not valid JSON', retryable: false, level: 'info' },
  'validation-failed': { status: 422, title: 'Invalid content', retryable: false, level: 'info' },
  'invalid-parameter': { status: 400, title: 'Invalid parameter', retryable: false, level: 'info' },
  'invalid-cursor': { status: 400, title: 'Invalid cursor', retryable: false, level: 'info' },
  'snapshot-expired': { status: 410, title: 'This page of the ranking has expired', retryable: false, level: 'info' },
  unauthorized: { status: 401, title: 'Authentication required', retryable: false, level: 'info' },
  forbidden: { status: 403, title: 'Not allowed', retryable: false, level: 'info' },
  'not-found': { status: 404, title: 'Not found', retryable: false, level: 'info' },
  'pack-not-found': { status: 404, title: 'No such pack', retryable: false, level: 'info' },
  'sticker-not-found': { status: 404, title: 'No such sticker', retryable: false, level: 'info' },
  'flag-unknown': { status: 404, title: 'No such feature flag', retryable: false, level: 'info' },
  'method-not-allowed': { status: 405, title: 'Method not allowed', retryable: false, level: 'info' },
  'not-acceptable': { status: 406, title: 'Not available in that format', retryable: false, level: 'info' },
  'request-in-flight': { status: 409, title: 'The request is being carried out', retryable: true, level: 'info' },
  'answer-lost': { status: 409, title: 'Carried out, but the answer is lost', retryable: false, level: 'info' },
  'idempotency-key-reused': {
    status: 422,
    title: 'This idempotency key belongs to another request',
    retryable: false,
    level: 'info',
  },
  'rollout-refused': { status: 409, title: 'The rollout cannot do this now', retryable: false, level: 'info' },
  'pack-full': { status: 409, title: 'The pack is full', retryable: false, level: 'info' },
  'pack-empty': { status: 409, title: 'The pack has no usable sticker', retryable: false, level: 'info' },
  'pack-limit-reached': { status: 409, title: 'The owner has all packs allowed', retryable: false, level: 'info' },
  'sticker-duplicate': { status: 409, title: 'The pack has this sticker already', retryable: false, level: 'info' },
  'auto-collect-disabled': { status: 409, title: 'Auto-collect is turned off', retryable: false, level: 'info' },
  'webhooks-disabled': { status: 409, title: 'Webhooks are turned off', retryable: false, level: 'info' },
  'webhook-limit-reached': {
    status: 409,
    title: 'The owner has all webhooks allowed',
    retryable: false,
    level: 'info',
  },
  'owner-banned': { status: 403, title: 'The owner is banned', retryable: false, level: 'info' },
  'sticker-banned': { status: 422, title: 'The sticker is banned', retryable: false, level: 'info' },
  'signed-url-invalid': { status: 403, title: 'The signed address does not hold', retryable: false, level: 'info' },
  'object-corrupt': { status: 503, title: 'An object has the wrong bytes', retryable: true, level: 'warn' },
  'storage-failed': { status: 503, title: 'Object storage cannot be worked with', retryable: true, level: 'warn' },
  'storage-not-configured': { status: 503, title: 'There is no object storage', retryable: false, level: 'warn' },
  'moderation-conflict': { status: 409, title: 'Moderation does not allow this', retryable: false, level: 'info' },
  'pack-not-editable': { status: 409, title: 'The pack cannot be changed', retryable: false, level: 'info' },
  'request-timeout': { status: 408, title: 'The request took too long', retryable: true, level: 'info' },
  'headers-too-large': { status: 431, title: 'URL and headers are too large', retryable: false, level: 'info' },
  'pack-not-exportable': { status: 409, title: 'The pack does not fit this format', retryable: false, level: 'info' },
  'pack-file-invalid': { status: 422, title: 'Not a pack that can be imported', retryable: false, level: 'info' },
  'pack-file-unsafe': { status: 422, title: 'The zip file is not safe to open', retryable: false, level: 'info' },
  'payload-too-large': { status: 413, title: 'Too large', retryable: false, level: 'info' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type', retryable: false, level: 'info' },
  'image-unsupported': { status: 415, title: 'Not a supported image', retryable: false, level: 'info' },
  'image-corrupt': { status: 422, title: 'The image cannot be read', retryable: false, level: 'info' },
  'image-too-many-pixels': { status: 422, title: 'The image has too many pixels', retryable: false, level: 'info' },
  'image-too-many-frames': { status: 422, title: 'The animation has too many frames', retryable: false, level: 'info' },
  'image-cannot-fit': { status: 422, title: 'The image cannot be made small enough', retryable: false, level: 'info' },
  'precondition-failed': { status: 412, title: 'Precondition failed', retryable: false, level: 'info' },
  'range-not-satisfiable': { status: 416, title: 'Range not satisfiable', retryable: false, level: 'info' },
  'rate-limited': { status: 429, title: 'Too many requests', retryable: true, level: 'info' },
  'configuration-invalid': { status: 500, title: 'Invalid configuration', retryable: false, level: 'error' },
  'schema-outdated': {
    status: 503,
    title: 'The database schema is behind this release',
    retryable: true,
    level: 'error',
  },
  'event-invalid': { status: 500, title: 'Invalid domain event', retryable: false, level: 'error' },
  'archive-invalid': { status: 500, title: 'The archive cannot be restored', retryable: false, level: 'error' },
  unavailable: { status: 503, title: 'Temporarily unavailable', retryable: true, level: 'warn' },
  'task-timeout': { status: 500, title: 'A task ran out of time', retryable: true, level: 'warn' },
  'version-conflict': { status: 409, title: 'Changed meanwhile', retryable: true, level: 'info' },
  'internal-error': { status: 500, title: 'Internal error', retryable: true, level: 'error' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorRegistry;

/** One field of a request that did not pass: `pointer` is a JSON pointer or a parameter's name. */
export type FieldProblem = {
  pointer: string;
  detail: string;
  /** Of runbooks/whatsapp-rules.md, where one of them fails. */
  rule?: string;
};

type AppErrorOptions = { cause?: unknown; details?: Record<string, unknown>; fields?: FieldProblem[] };

/** An expected failure. `message` says what happened, with which value, and what to do; it may be shown to clients. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  readonly fields: FieldProblem[];

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details ?? {};
    this.fields = options.fields ?? [];
  }

  get status(): number {
    return errorRegistry[this.code].status;
  }

  get isRetryable(): boolean {
    return errorRegistry[this.code].retryable;
  }
}

/** True when `error` is an AppError, with that code when one is given. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** Enough for a deep stack with its causes; a whole request or picture in a message must not fill a table. */
const longestErrorText = 16_000;

/** An error as it is kept in a table: its stack and those of its causes, bounded, without NUL, which PostgreSQL's text refuses. */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  for (let next: unknown = error; next !== undefined && parts.length < 5;) {
    parts.push(next instanceof Error ? (next.stack ?? next.message) : format('%s', next));
    next = next instanceof Error ? next.cause : undefined;
  }
  return parts.join('\nCaused by: ').replaceAll('\0', '').slice(0, longestErrorText);
}

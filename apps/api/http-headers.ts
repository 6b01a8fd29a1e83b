/** The headers that requests and answers of the API have besides those of every HTTP message, as the document describes them. */

type HeaderDoc = { description: string; schema: { type: 'string' } & Record<string, unknown>; required?: boolean };

const text = { type: 'string' } as const;

/** What a client may send. */
export const requestHeaders = {
  'If-None-Match': {
    description: 'ETag that the client has; 304 when it is still the one.',
    schema: { type: 'string', maxLength: 1_024 },
  },
  'If-Match': {
    description: 'ETag that the answer must have; 412 otherwise.',
    schema: { type: 'string', maxLength: 1_024 },
  },
  Range: { description: 'Part of the bytes (RFC 9110): bytes=0-99.', schema: { type: 'string', maxLength: 256 } },
  'X-Viewer-Key': {
    description: 'Names a viewer, so that many behind one address are told apart; only a keyed hash of it is stored.',
    schema: { type: 'string', maxLength: 128 },
  },
  'Idempotency-Key': {
    description: 'The same key with the same request is carried out once and answered alike each time.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
} as const satisfies Record<string, HeaderDoc>;
export type RequestHeader = keyof typeof requestHeaders;

/** What the API answers with. `required`: whenever the document lists it, it is there. */
export const responseHeaders = {
  'X-Request-Id': {
    description: 'The client’s own when it is well formed, else a new one.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
    required: true,
  },
  ETag: { description: 'Strong validator of the body; send it back as If-None-Match.', schema: text },
  'Cache-Control': { description: 'Who may keep the answer, and how long.', schema: text },
  'Content-Range': { description: 'Which bytes of how many.', schema: text, required: true },
  'Accept-Ranges': { description: 'bytes', schema: text },
  Location: {
    description: 'Path of what was made.',
    schema: { type: 'string', format: 'uri-reference' },
    required: true,
  },
  Allow: { description: 'The methods that are possible here.', schema: text, required: true },
  'Retry-After': {
    description: 'Seconds to wait before the next attempt.',
    schema: { type: 'string' },
    required: true,
  },
  'WWW-Authenticate': { description: 'Bearer', schema: text, required: true },
  RateLimit: {
    description: 'What is left: "write";r=remaining requests;t=seconds until the window ends.',
    schema: text,
  },
  'RateLimit-Policy': { description: 'The limit: "write";q=requests;w=seconds of the window.', schema: text },
} as const satisfies Record<string, HeaderDoc>;
export type ResponseHeader = keyof typeof responseHeaders;

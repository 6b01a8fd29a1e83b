/** What an error of object storage means, in words that an operator can act on. */
import { AppError, errorText } from '@omnizap/runtime';

export type StorageProblemCode =
  | 'unreachable'
  | 'silent'
  | 'wrong-secret'
  | 'unknown-key'
  | 'clock-skew'
  | 'no-bucket'
  | 'wrong-region'
  | 'forbidden'
  | 'throttled'
  | 'missing'
  | 'corrupt'
  | 'failing'
  | 'unknown';

export type StorageProblem = {
  code: StorageProblemCode;
  /** A sentence. */
  text: string;
  /** What to do; a sentence. */
  remedy: string;
};

type ServiceError = {
  name?: string;
  Code?: string;
  code?: string;
  message?: string;
  Region?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
};

const networkCodes: Record<string, string> = {
  ECONNREFUSED: 'it refuses connections',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  ENOTFOUND: 'its name does not exist',
  EAI_AGAIN: 'its name cannot be resolved',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'it does not answer',
};
const silentNames = new Set(['TimeoutError', 'AbortError', 'RequestTimeout']);

const statusOf = (error: ServiceError): number | undefined => error.$metadata?.httpStatusCode;

/** There is no such object; a bucket that is gone is something else. */
export function isMissing(error: unknown): boolean {
  const { name, Code } = error as ServiceError;
  if (name === 'NoSuchKey' || Code === 'NoSuchKey') return true;
  return statusOf(error as ServiceError) === 404 && name !== 'NoSuchBucket' && Code !== 'NoSuchBucket';
}

/** Whether the service itself cannot be worked with: not when it has one object less, or another one, than we think. */
export function isServiceFailure(error: unknown): boolean {
  const { code } = explainStorageError(error);
  return code !== 'missing' && code !== 'corrupt';
}

export function explainStorageError(error: unknown): StorageProblem {
  if (error instanceof AppError && error.code === 'object-corrupt')
    return {
      code: 'corrupt',
      text: error.message,
      remedy: 'Run "npm run ops -- storage verify --repair": it is uploaded again.',
    };
  const failure = error as ServiceError;
  const name = failure.Code ?? failure.name ?? '';
  const status = statusOf(failure);
  return ofName(name, failure) ?? ofStatus(status) ?? ofNetwork(name, failure) ?? unknown(error);
}

function ofName(name: string, failure: ServiceError): StorageProblem | null {
  switch (name) {
    case 'SignatureDoesNotMatch':
      return {
        code: 'wrong-secret',
        text: 'The service does not accept the signature: the secret does not belong to the access key.',
        remedy: 'Set STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY to the secret of that access key.',
      };
    case 'InvalidAccessKeyId':
      return {
        code: 'unknown-key',
        text: 'The service does not know the access key.',
        remedy: 'Set STICKER_OBJECT_STORAGE_ACCESS_KEY_ID to a key that exists and is active.',
      };
    case 'RequestTimeTooSkewed':
    case 'RequestExpired':
      return {
        code: 'clock-skew',
        text: `The clock of this host differs from the service's${skewText(failure)}.`,
        remedy: 'Set the clock by NTP (timedatectl set-ntp true).',
      };
    case 'NoSuchBucket':
      return {
        code: 'no-bucket',
        text: 'The bucket does not exist.',
        remedy: 'Make it, or correct STICKER_OBJECT_STORAGE_BUCKET. Nothing makes one by itself.',
      };
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
    case 'IncorrectEndpoint':
      return {
        code: 'wrong-region',
        text: `The bucket is in another region${failure.Region === undefined ? '' : `: ${failure.Region}`}.`,
        remedy: 'Correct STICKER_OBJECT_STORAGE_REGION (and the endpoint, when one is set).',
      };
    case 'SlowDown':
    case 'ServiceUnavailable':
    case 'Throttling':
    case 'TooManyRequests':
      return {
        code: 'throttled',
        text: 'The service asks for fewer requests.',
        remedy: 'Lower --rate of a backfill or the share of the flag; ask the provider for its limits.',
      };
    case 'NoSuchKey':
      return missing;
    default:
      return null;
  }
}

const missing: StorageProblem = {
  code: 'missing',
  text: 'The bucket has no such object.',
  remedy: 'Run "npm run ops -- storage verify --repair": what should be there is uploaded again.',
};

/** Answers to HEAD have no words. */
function ofStatus(status: number | undefined): StorageProblem | null {
  if (status === undefined || status < 300) return null;
  if (status === 404) return missing;
  if (status === 301 || status === 307)
    return {
      code: 'wrong-region',
      text: 'The service sends us to another region or endpoint.',
      remedy: 'Correct STICKER_OBJECT_STORAGE_REGION and STICKER_OBJECT_STORAGE_ENDPOINT.',
    };
  if (status === 401 || status === 403)
    return {
      code: 'forbidden',
      text: `The service refuses this key (${status}).`,
      remedy:
        'Give the key s3:ListBucket on the bucket and s3:GetObject, s3:PutObject, s3:DeleteObject on its objects.',
    };
  if (status === 429)
    return {
      code: 'throttled',
      text: 'The service asks for fewer requests (429).',
      remedy: 'Lower --rate of a backfill or the share of the flag; ask the provider for its limits.',
    };
  if (status >= 500)
    return {
      code: 'failing',
      text: `The service fails (${status}).`,
      remedy: 'Look at the status of the provider. Bytes come from local disk meanwhile.',
    };
  return null;
}

function ofNetwork(name: string, failure: ServiceError): StorageProblem | null {
  if (silentNames.has(name))
    return {
      code: 'silent',
      text: 'The endpoint accepted the connection, or the request, and did not answer in time.',
      remedy: 'Look at the endpoint and at the way to it. Bytes come from local disk meanwhile.',
    };
  const reason = networkCodes[failure.code ?? name];
  if (reason === undefined) return null;
  return {
    code: 'unreachable',
    text: `The endpoint cannot be reached: ${reason}.`,
    remedy: 'Check STICKER_OBJECT_STORAGE_ENDPOINT and the way to it. Bytes come from local disk meanwhile.',
  };
}

function unknown(error: unknown): StorageProblem {
  return {
    code: 'unknown',
    text: `Object storage failed: ${errorText(error).split('\n')[0] ?? ''}`,
    remedy: 'Look at the endpoint: it may not be an S3 service.',
  };
}

/** By the date of the answer, when it has one. */
function skewText({ $response }: ServiceError): string {
  const theirs = Date.parse($response?.headers?.date ?? '');
  if (Number.isNaN(theirs)) return '';
  const minutes = Math.round((Date.now() - theirs) / 60_000);
  if (minutes === 0) return '';
  return ` by ${Math.abs(minutes)} minutes (ours is ${minutes > 0 ? 'ahead' : 'behind'})`;
}

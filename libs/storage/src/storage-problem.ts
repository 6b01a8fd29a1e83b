/**
 * What an error of object storage means, in words that an operator can act on. Codes of the service: AWS's list ("Error responses",
 * Amazon S3 API reference), which others follow as far as they say anything; what the SDK makes of answers without words, and of
 * connections that fail, is as its tests here have seen it.
 */
import { AppError, errorText } from '@omnizap/runtime';

export type StorageProblemCode =
  | 'unreachable'
  | 'silent'
  | 'wrong-protocol'
  | 'untrusted'
  | 'not-s3'
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
  /** Of `wrong-region`, when the service says which it is. */
  region?: string;
};

type ServiceError = {
  name?: string;
  Code?: string;
  code?: string | number;
  message?: string;
  Region?: string;
  Endpoint?: string;
  ServerTime?: string;
  rawPacket?: Buffer;
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
};
const silentNames = new Set(['TimeoutError', 'AbortError', 'RequestTimeout', 'ETIMEDOUT']);
/** OpenSSL's and Node's words for a certificate that this host does not believe. */
const certificateCodes = /^(CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_CERT_ALTNAME)/;
/** First bytes of a TLS record that says that something is wrong. */
const tlsAlert = 0x15;
/** Services take up to 15 minutes. */
const skewMs = 14 * 60_000;
/** Fields of every error that the SDK makes of an answer; others come from its body. */
const ownFields = new Set(['name', 'message', 'stack', '$fault', '$retryable', '$metadata', '$response']);

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
  // The code of a connection comes first: the SDK calls one that was closed a timeout.
  return ofNetwork(name, failure) ?? ofName(name, failure) ?? ofStatus(failure) ?? unknown(error);
}

function ofName(name: string, failure: ServiceError): StorageProblem | null {
  switch (name) {
    case 'SignatureDoesNotMatch':
      return {
        code: 'wrong-secret',
        // AWS knows the difference; Swift says the same of a key that it does not know.
        text: 'The service does not accept the signature: the secret does not belong to the access key, or there is no such key.',
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
      return clockSkew(failure);
    case 'NoSuchBucket':
      return {
        code: 'no-bucket',
        text: 'The bucket does not exist.',
        remedy: 'Make it, or correct STICKER_OBJECT_STORAGE_BUCKET. Nothing makes one by itself.',
      };
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
    case 'TemporaryRedirect':
    case 'IncorrectEndpoint':
    case 'IllegalLocationConstraintException':
      return wrongRegion(failure);
    case 'SlowDown':
    case 'ServiceUnavailable':
    case 'Throttling':
    case 'ThrottlingException':
    case 'TooManyRequests':
    case 'RequestLimitExceeded':
    case 'BandwidthLimitExceeded':
      return throttled;
    case 'AllAccessDisabled':
    case 'AccountProblem':
    case 'NotSignedUp':
      return {
        code: 'forbidden',
        text: `The provider has closed the account, or this bucket, to everybody (${name}).`,
        remedy: 'Ask the provider: bills, terms of use. Bytes come from local disk meanwhile.',
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

const throttled: StorageProblem = {
  code: 'throttled',
  text: 'The service asks for fewer requests.',
  remedy: 'Lower --rate of a backfill or the share of the flag; ask the provider for its limits.',
};

const notS3: StorageProblem = {
  code: 'not-s3',
  text: 'What answers at the endpoint is no S3 service: it sends something else than S3 does.',
  remedy: 'Correct STICKER_OBJECT_STORAGE_ENDPOINT: host, port, http or https, and no path to a console.',
};

function wrongRegion(failure: ServiceError): StorageProblem {
  const region = regionOf(failure);
  const endpoint = failure.Endpoint === undefined ? '' : `, at ${failure.Endpoint}`;
  return {
    code: 'wrong-region',
    text: `The bucket is in another region${region === undefined ? '' : `: ${region}`}${endpoint}.`,
    remedy: `Set STICKER_OBJECT_STORAGE_REGION${region === undefined ? ' to that of the bucket' : `=${region}`}, and the endpoint to that of the region, when one is set.`,
    ...(region === undefined ? {} : { region }),
  };
}

/** In a field of its own, in a header (AWS), or only in the words (AWS, Swift: "expecting 'eu-west-1'") or the host. */
function regionOf({ Region, message = '', Endpoint = '', $response }: ServiceError): string | undefined {
  return (
    Region ??
    $response?.headers?.['x-amz-bucket-region'] ??
    /expecting '([a-z0-9-]+)'/.exec(message)?.[1] ??
    /\bs3[.-]([a-z]+(?:-[a-z]+)+-\d+)\./.exec(Endpoint)?.[1]
  );
}

function clockSkew(failure: ServiceError): StorageProblem {
  const minutes = Math.round((aheadMs(failure) ?? 0) / 60_000);
  const by = minutes === 0 ? '' : ` by ${Math.abs(minutes)} minutes (ours is ${minutes > 0 ? 'ahead' : 'behind'})`;
  return {
    code: 'clock-skew',
    text: `The clock of this host differs from the service's${by}.`,
    remedy: 'Set the clock by NTP (timedatectl set-ntp true).',
  };
}

/** By how much our clock is ahead of the service's, as far as it says what its own is. */
function aheadMs({ ServerTime, $response }: ServiceError): number | null {
  const theirs = Date.parse(ServerTime ?? $response?.headers?.date ?? '');
  return Number.isNaN(theirs) ? null : Date.now() - theirs;
}

/** Answers to HEAD have no words. */
function ofStatus(failure: ServiceError): StorageProblem | null {
  const status = statusOf(failure);
  if (isUnreadable(failure)) return notS3;
  if (status === undefined || status < 300) return null;
  if (status >= 500)
    return {
      code: 'failing',
      text: `The service fails (${status}).`,
      remedy: 'Look at the status of the provider. Bytes come from local disk meanwhile.',
    };
  if (isOtherDocument(failure)) return notS3;
  if (status === 404) return missing;
  const isElsewhere = status === 301 || status === 307 || (status === 400 && regionOf(failure) !== undefined);
  if (isElsewhere) return wrongRegion(failure);
  if (status === 401 || status === 403) {
    // To HEAD it says no more than this, and the time.
    if (Math.abs(aheadMs(failure) ?? 0) >= skewMs) return clockSkew(failure);
    return {
      code: 'forbidden',
      text: `The service refuses this key (${status}).`,
      remedy:
        'Give the key s3:ListBucket on the bucket and s3:GetObject, s3:PutObject, s3:DeleteObject on its objects.',
    };
  }
  if (status === 405) return notS3;
  if (status === 400 && isWithoutWords(failure))
    return {
      code: 'unknown',
      text: 'The service does not accept the request (400): the bucket is in another region, perhaps.',
      remedy: 'Run "npm run ops -- doctor --only object-storage": it asks so that the answer has words.',
    };
  return status === 429 ? throttled : null;
}

/** The SDK has no code for it. */
function isUnreadable({ message = '' }: ServiceError): boolean {
  return message.includes('XML parse error') || message.includes('Deserialization error');
}

/** A page, and its parts, in place of S3's own error. Swift's answers to HEAD say HTML, too, and have nothing in them. */
function isOtherDocument(failure: ServiceError): boolean {
  const type = failure.$response?.headers?.['content-type'] ?? '';
  return (
    failure.Code === undefined &&
    /^(text\/|application\/json)/.test(type) &&
    Object.keys(failure).some((field) => !ownFields.has(field))
  );
}

/** What the SDK calls an error that has neither. */
function isWithoutWords({ Code, name }: ServiceError): boolean {
  return Code === undefined && (name === 'Unknown' || name === '400');
}

function ofNetwork(name: string, failure: ServiceError): StorageProblem | null {
  // Of what a signal ended it is a number.
  const code = String(failure.code ?? '');
  if (code === 'EPROTO' || (code === 'HPE_INVALID_CONSTANT' && failure.rawPacket?.[0] === tlsAlert))
    return {
      code: 'wrong-protocol',
      text: `The endpoint speaks ${code === 'EPROTO' ? 'no TLS that we understand: http:// at an https:// address, perhaps' : 'TLS, and its address says http://'}.`,
      remedy: `Correct STICKER_OBJECT_STORAGE_ENDPOINT: ${code === 'EPROTO' ? 'http:// in place of https://, or' : 'https:// in place of http://, or'} another port.`,
    };
  if (code.startsWith('HPE_')) return notS3;
  if (certificateCodes.test(code))
    return {
      code: 'untrusted',
      text: `The certificate of the endpoint is not to be trusted (${code}).`,
      remedy:
        'Give the endpoint the name that its certificate is for; of an authority of your own, set NODE_EXTRA_CA_CERTS to its certificate.',
    };
  const reason = networkCodes[code] ?? networkCodes[name];
  if (reason !== undefined)
    return {
      code: 'unreachable',
      text: `The endpoint cannot be reached: ${reason}.`,
      remedy: 'Check STICKER_OBJECT_STORAGE_ENDPOINT and the way to it. Bytes come from local disk meanwhile.',
    };
  if (silentNames.has(code) || silentNames.has(name))
    return {
      code: 'silent',
      text: 'The endpoint accepted the connection, or the request, and did not answer in time.',
      remedy: 'Look at the endpoint and at the way to it. Bytes come from local disk meanwhile.',
    };
  return null;
}

function unknown(error: unknown): StorageProblem {
  return {
    code: 'unknown',
    text: `Object storage failed: ${errorText(error).split('\n')[0] ?? ''}`,
    remedy: 'Look at the endpoint: it may not be an S3 service.',
  };
}

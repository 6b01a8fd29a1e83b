/** Which bucket there is, and how what is in it is delivered. */
import { createHash } from 'node:crypto';

export type ObjectStorageMode = 'proxy' | 'redirect';

export type ObjectStorageSettings = {
  bucket: string;
  region: string;
  /** Of a service other than AWS, for example `https://minio.example`; null = AWS's own for the region. */
  endpoint: string | null;
  accessKeyId: string;
  secretAccessKey: string;
  /** `<endpoint>/<bucket>/<key>` instead of `<bucket>.<endpoint>/<key>`. */
  forcePathStyle: boolean;
  /** Before each key, without slashes at its ends. */
  keyPrefix: string;
  mode: ObjectStorageMode;
  /** Where everybody may read the bucket's objects under their keys, for example `https://cdn.example`; null = nowhere. */
  cdnBaseUrl: string | null;
  /** 60 to 604,800. */
  signedUrlTtlSeconds: number;
};

/** As far as it concerns object storage; the variables of the environment have these names. */
export type ObjectStorageEnvironment = {
  STICKER_OBJECT_STORAGE_BUCKET?: string | undefined;
  STICKER_OBJECT_STORAGE_REGION: string;
  STICKER_OBJECT_STORAGE_ENDPOINT?: string | undefined;
  STICKER_OBJECT_STORAGE_ACCESS_KEY_ID?: string | undefined;
  STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY?: string | undefined;
  STICKER_OBJECT_STORAGE_FORCE_PATH_STYLE?: boolean | undefined;
  STICKER_OBJECT_STORAGE_CDN_BASE_URL?: string | undefined;
  STICKER_OBJECT_STORAGE_KEY_PREFIX: string;
  STICKER_OBJECT_STORAGE_MODE: ObjectStorageMode;
  STICKER_OBJECT_STORAGE_SIGNED_URL_TTL_SECONDS: number;
};

/** Null: none is configured. What is missing beside a bucket is a problem of the configuration already. */
export function objectStorageSettings(environment: ObjectStorageEnvironment): ObjectStorageSettings | null {
  const {
    STICKER_OBJECT_STORAGE_BUCKET: bucket,
    STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: accessKeyId,
    STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: secretAccessKey,
  } = environment;
  if (bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined) return null;
  const endpoint = environment.STICKER_OBJECT_STORAGE_ENDPOINT ?? null;
  return {
    bucket,
    region: environment.STICKER_OBJECT_STORAGE_REGION,
    endpoint,
    accessKeyId,
    secretAccessKey,
    // AWS wants host names for new buckets; most others have no name for each bucket.
    forcePathStyle: environment.STICKER_OBJECT_STORAGE_FORCE_PATH_STYLE ?? endpoint !== null,
    keyPrefix: environment.STICKER_OBJECT_STORAGE_KEY_PREFIX,
    mode: environment.STICKER_OBJECT_STORAGE_MODE,
    cdnBaseUrl: environment.STICKER_OBJECT_STORAGE_CDN_BASE_URL?.replace(/\/+$/, '') ?? null,
    signedUrlTtlSeconds: environment.STICKER_OBJECT_STORAGE_SIGNED_URL_TTL_SECONDS,
  };
}

/** The same for settings that mean the same objects; no secret can be found out by it. Null: no bucket. */
export function objectStorageDigest(environment: ObjectStorageEnvironment): string | null {
  const settings = objectStorageSettings(environment);
  if (settings === null) return null;
  const { endpoint, bucket, keyPrefix } = settings;
  return createHash('sha256')
    .update(JSON.stringify([endpoint?.replace(/\/+$/, '') ?? null, bucket, keyPrefix]))
    .digest('hex')
    .slice(0, 12);
}

/** The flags for code that asks through OpenFeature: boolean flags, the subject as targeting key. */
import {
  ErrorCode,
  type EvaluationContext,
  type JsonValue,
  type Provider,
  type ResolutionDetails,
} from '@openfeature/server-sdk';
import { isFlagName } from './flag-definitions.ts';
import type { Flags } from './flags.ts';

/** `flagMetadata.bucket` tells the subject's bucket. Without a targeting key a flag is off unless it is on for everybody. */
export function createFlagProvider(flags: Pick<Flags, 'evaluate'>): Provider {
  function resolve(flagKey: string, fallback: boolean, context: EvaluationContext): ResolutionDetails<boolean> {
    if (!isFlagName(flagKey))
      return { value: fallback, reason: 'ERROR', errorCode: ErrorCode.FLAG_NOT_FOUND, errorMessage: 'no such flag' };
    const { enabled, reason, bucket } = flags.evaluate(flagKey, context.targetingKey ?? '');
    return {
      ...{ value: enabled, reason, variant: enabled ? 'on' : 'off' },
      flagMetadata: bucket === null ? {} : { bucket },
    };
  }

  const notBoolean = <T>(fallback: T): Promise<ResolutionDetails<T>> =>
    Promise.resolve({
      ...{ value: fallback, reason: 'ERROR', errorCode: ErrorCode.TYPE_MISMATCH },
      errorMessage: 'every flag is boolean',
    });

  return {
    metadata: { name: 'omnizap feature_flag table' },
    runsOn: 'server',
    resolveBooleanEvaluation: (flagKey, fallback, context) => Promise.resolve(resolve(flagKey, fallback, context)),
    resolveStringEvaluation: (_key: string, fallback: string) => notBoolean(fallback),
    resolveNumberEvaluation: (_key: string, fallback: number) => notBoolean(fallback),
    resolveObjectEvaluation: <T extends JsonValue>(_key: string, fallback: T) => notBoolean(fallback),
  };
}

/** SQL of `feature_flag`. Operators change its rows by hand as well: what they typed is found by comparison, and audited. */
import { z } from 'zod';
import {
  AppError,
  readAudit,
  sqlNow,
  writeAudit,
  type AuditRecord,
  type Database,
  type Transaction,
} from '@omnizap/runtime';
import { flagDefinitions, flagNames, isFlagName, type FlagName } from './flag-definitions.ts';

export type FlagRow = {
  flagName: string;
  isEnabled: boolean;
  /** Whole, 0 to 100. */
  rolloutPercent: number;
  /** Rises with every change; for one typed by hand, when it was noticed. */
  version: number;
  updatedBy: string;
  updatedAt: Date;
  description: string;
};

export type FlagChange = {
  flagName: string;
  isEnabled?: boolean | undefined;
  rolloutPercent?: number | undefined;
  /** What the change is based on; without it the last one wins. */
  expectedVersion?: number | undefined;
};

export type Changer = { actor: string; reason: string; requestId?: string | undefined };

/** State of a flag in the audit trail. */
const auditedState = z.object({ is_enabled: z.number(), rollout_percent: z.number() });
type State = z.infer<typeof auditedState>;

type StoredFlag = {
  flag_name: string;
  is_enabled: number;
  rollout_percent: number;
  version: number;
  updated_by: string;
  updated_at: Date;
  description: string;
  audited_is_enabled: number | null;
  audited_percent: number | null;
};

const targetType = 'feature_flag';
const mostActorCharacters = 120;

export type FlagStore = ReturnType<typeof createFlagStore>;

export function createFlagStore(database: Pick<Database, 'knex' | 'kind' | 'transaction'>) {
  const { knex, kind } = database;

  async function lock(trx: Transaction, names: string[]): Promise<Map<string, StoredFlag>> {
    const rows = await trx('feature_flag')
      .whereIn('flag_name', names)
      .orderBy('flag_name')
      .forUpdate()
      .select<StoredFlag[]>('*');
    return new Map(rows.map((row) => [row.flag_name, row]));
  }

  async function write(trx: Transaction, row: StoredFlag, next: State, by: Changer, action: string): Promise<void> {
    await trx('feature_flag')
      .where({ flag_name: row.flag_name })
      .update({
        ...next,
        audited_is_enabled: next.is_enabled,
        audited_percent: next.rollout_percent,
        version: row.version + 1,
        updated_by: by.actor.slice(0, mostActorCharacters),
        updated_at: trx.raw(sqlNow(kind)),
      });
    const before = auditedOf(row);
    await writeAudit(trx, {
      ...by,
      ...{ action, targetType, targetId: row.flag_name },
      ...(before === null ? {} : { before }),
      after: next,
    });
  }

  /** A change that nobody told us about becomes part of the history before anything else does. */
  async function noticeForeign(trx: Transaction, row: StoredFlag): Promise<StoredFlag> {
    if (!isForeign(row)) return row;
    const by = { actor: row.updated_by, reason: 'changed in the table by hand' };
    await write(trx, row, stateOf(row), by, 'flag.changed-by-hand');
    return {
      ...row,
      version: row.version + 1,
      audited_is_enabled: row.is_enabled,
      audited_percent: row.rollout_percent,
    };
  }

  /** A row that was deleted by mistake comes back with the values that it had last. */
  async function restore(trx: Transaction, flagName: FlagName): Promise<void> {
    const { first, description } = flagDefinitions[flagName];
    const [last] = await readAudit({ knex: trx }, { targetType, targetId: flagName, limit: 1 });
    const known = auditedState.safeParse(last?.after);
    const state = known.data ?? { is_enabled: first.isEnabled ? 1 : 0, rollout_percent: first.rolloutPercent };
    await trx('feature_flag')
      .insert({
        flag_name: flagName,
        ...state,
        ...{ description, updated_by: 'system', version: 1 },
        audited_is_enabled: state.is_enabled,
        audited_percent: state.rollout_percent,
      })
      .onConflict('flag_name')
      .ignore();
    const by = { actor: 'system', reason: 'the row was missing' };
    await writeAudit(trx, { ...by, action: 'flag.restored', targetType, targetId: flagName, after: state });
  }

  return {
    async list(): Promise<FlagRow[]> {
      const rows = await knex('feature_flag').orderBy('flag_name').select<StoredFlag[]>('*');
      return rows.map(flagOf);
    },

    /**
     * All of the changes or none, audited in the same transaction; what would change nothing is left alone.
     * @throws AppError `flag-unknown`; `validation-failed` for a percentage that is not whole or not 0 to 100; `version-conflict`
     */
    async set(changes: FlagChange[], by: Changer): Promise<FlagRow[]> {
      changes.forEach(validate);
      return database.transaction(async (trx) => {
        const rows = await lock(
          trx,
          changes.map(({ flagName }) => flagName),
        );
        for (const change of changes) {
          const stored = rows.get(change.flagName);
          if (!stored) throw unknownFlag(change.flagName);
          const isStale = isForeign(stored) || stored.version !== change.expectedVersion;
          if (change.expectedVersion !== undefined && isStale)
            throw new AppError(
              'version-conflict',
              `${change.flagName} was changed meanwhile, by ${stored.updated_by}, to ${describe(stateOf(stored))}: look at it again.`,
            );
          const row = await noticeForeign(trx, stored);
          const next: State = {
            is_enabled: change.isEnabled === undefined ? row.is_enabled : Number(change.isEnabled),
            rollout_percent: change.rolloutPercent ?? row.rollout_percent,
          };
          if (next.is_enabled !== row.is_enabled || next.rollout_percent !== row.rollout_percent)
            await write(trx, row, next, by, 'flag.set');
        }
        const after = await lock(trx, [...rows.keys()]);
        return [...after.values()].map(flagOf);
      });
    },

    /** Audits what was typed into the table, and brings deleted rows back. Returns the flags that it found so. */
    async noticeForeignChanges(): Promise<string[]> {
      const seen = await knex('feature_flag').select<StoredFlag[]>('*');
      const changed = seen.filter(isForeign).map((row) => row.flag_name);
      const missing = flagNames.filter((name) => !seen.some((row) => row.flag_name === name));
      if (changed.length === 0 && missing.length === 0) return [];
      await database.transaction(async (trx) => {
        for (const row of (await lock(trx, changed)).values()) await noticeForeign(trx, row);
        for (const name of missing) await restore(trx, name);
      });
      return [...changed, ...missing];
    },

    /** Flags that were changed by hand and that the leader has not audited yet. */
    async unnoticed(): Promise<string[]> {
      const rows = await knex('feature_flag').orderBy('flag_name').select<StoredFlag[]>('*');
      return rows.filter(isForeign).map((row) => row.flag_name);
    },

    history(flagName: string | undefined, limit: number): Promise<AuditRecord[]> {
      return readAudit(database, { targetType, targetId: flagName, limit });
    },
  };
}

/** @throws AppError `flag-unknown` */
export function requireFlagName(name: string): FlagName {
  if (!isFlagName(name)) throw unknownFlag(name);
  return name;
}

function unknownFlag(name: string): AppError {
  return new AppError(
    'flag-unknown',
    isFlagName(name)
      ? `The row of ${name} is missing in feature_flag; the leading maintenance process brings it back within seconds.`
      : `There is no flag "${name}". The flags are ${flagNames.join(', ')}.`,
  );
}

function validate(change: FlagChange): void {
  requireFlagName(change.flagName);
  const percent = change.rolloutPercent;
  if (percent !== undefined && !(Number.isInteger(percent) && percent >= 0 && percent <= 100))
    throw new AppError('validation-failed', `A percentage is a whole number from 0 to 100, not ${percent}.`, {
      fields: [{ pointer: '/rollout_percent', detail: 'must be a whole number from 0 to 100' }],
    });
}

function stateOf(row: StoredFlag): State {
  return { is_enabled: row.is_enabled, rollout_percent: row.rollout_percent };
}

function auditedOf(row: StoredFlag): State | null {
  if (row.audited_is_enabled === null || row.audited_percent === null) return null;
  return { is_enabled: row.audited_is_enabled, rollout_percent: row.audited_percent };
}

function isForeign(row: StoredFlag): boolean {
  return row.is_enabled !== row.audited_is_enabled || row.rollout_percent !== row.audited_percent;
}

function describe(state: State): string {
  return `${state.is_enabled === 1 ? 'on' : 'off'} at ${state.rollout_percent} %`;
}

function flagOf(row: StoredFlag): FlagRow {
  return {
    flagName: row.flag_name,
    isEnabled: row.is_enabled === 1,
    rolloutPercent: row.rollout_percent,
    version: row.version,
    updatedBy: row.updated_by,
    updatedAt: row.updated_at,
    description: row.description,
  };
}

/** A flag as commands and the API show it. */
export function flagJson(flag: FlagRow) {
  return {
    flag_name: flag.flagName,
    is_enabled: flag.isEnabled,
    rollout_percent: flag.rolloutPercent,
    version: flag.version,
    description: flag.description,
    updated_by: flag.updatedBy,
    updated_at: flag.updatedAt.toISOString(),
  };
}

/** What a command of the operator CLI is made of, and how its options are read. */
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

/** The command was typed wrongly: exit code 2, with the way to its help. */
export class UsageError extends Error {}

export type OptionSpec =
  | { type: 'boolean'; description: string }
  /** `value` names what is to be given: `--limit <n>`. */
  | { type: 'string'; value: string; description: string };

export type Command = {
  name: string;
  summary: string;
  /** What follows the name besides options: `<id>...`; absent: nothing may. */
  operands?: string;
  options: Record<string, OptionSpec>;
  /** Without `npm run ops --`. */
  examples: string[];
  /** Returns the exit code. @throws UsageError, AppError */
  run: (call: Call) => Promise<number>;
};

/** The one command of a group that is a command itself has an empty name: `doctor`. */
export type Group = { name: string; summary: string; commands: Command[] };

export type Call = { operands: string[]; options: Options; session: Session; terminal: Terminal; isJson: boolean };

export type Options = {
  text(name: string): string | undefined;
  flag(name: string): boolean;
  number(name: string, limits: { min: number; max: number; isWhole: boolean }): number | undefined;
  instant(name: string): Date | undefined;
  oneOf<const T extends string>(name: string, values: readonly T[]): T | undefined;
};

export function readOptions(values: Record<string, unknown>): Options {
  const text = (name: string): string | undefined => {
    const value = values[name];
    if (typeof value !== 'string') return undefined;
    if (value.trim() === '') throw new UsageError(`--${name} must not be empty.`);
    return value.trim();
  };
  return {
    text,
    flag: (name) => values[name] === true,
    number(name, { min, max, isWhole }) {
      const given = text(name);
      if (given === undefined) return undefined;
      const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : NaN;
      if (!(value >= min && value <= max) || (isWhole && !Number.isInteger(value)))
        throw new UsageError(
          `--${name} must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}, not "${given}".`,
        );
      return value;
    },
    instant(name) {
      const given = text(name);
      if (given === undefined) return undefined;
      const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(given) ?? [];
      if (amount !== undefined) return new Date(Date.now() - Number(amount) * unitMs[unit as keyof typeof unitMs]);
      const isInstant = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(given);
      const value = new Date(given);
      if (!isInstant || Number.isNaN(value.getTime()))
        throw new UsageError(
          `--${name} must be an instant such as 2026-01-31T13:45Z, a day such as 2026-01-31, or an age such as 90m, 2h, 3d; not "${given}".`,
        );
      return value;
    },
    oneOf(name, allowed) {
      const given = text(name);
      if (given === undefined) return undefined;
      const found = allowed.find((value) => value === given);
      if (found === undefined) throw new UsageError(`--${name} must be ${allowed.join(' or ')}, not "${given}".`);
      return found;
    },
  };
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Rows on their way into an archive and back, between two databases of any kind, without losing a digit: the server writes every
 * value as text, so no driver rounds a bigint, a double or a microsecond.
 *
 * In the file: integers and doubles are numbers as long as JSON keeps them exactly, else text; instants are ISO 8601 in UTC; bytes
 * are hexadecimal; JSON columns are their text (parsed and printed again, a large number in one would change).
 */
import { rowsOf, type Database, type DatabaseKind } from './database.ts';

export type ArchiveColumnType = 'integer' | 'double' | 'instant' | 'bytes' | 'text';
export type ArchiveColumn = { name: string; type: ArchiveColumnType };
export type ArchivedValue = string | number | null;

const typeNames: Record<DatabaseKind, Record<string, ArchiveColumnType>> = {
  postgres: {
    smallint: 'integer',
    integer: 'integer',
    bigint: 'integer',
    real: 'double',
    'double precision': 'double',
    'timestamp with time zone': 'instant',
    bytea: 'bytes',
  },
  mysql: {
    tinyint: 'integer',
    smallint: 'integer',
    mediumint: 'integer',
    int: 'integer',
    bigint: 'integer',
    double: 'double',
    datetime: 'instant',
    timestamp: 'instant',
    binary: 'bytes',
    varbinary: 'bytes',
    tinyblob: 'bytes',
    blob: 'bytes',
    mediumblob: 'bytes',
    longblob: 'bytes',
  },
};

/** Every column that a row brings itself, in the table's order; generated ones come back by themselves. Empty: no such table. */
export async function readArchiveColumns(database: Database, table: string): Promise<ArchiveColumn[]> {
  const result: unknown = await database.knex.raw(
    `SELECT column_name AS name, data_type AS type FROM information_schema.columns
      WHERE table_schema = ${database.kind === 'mysql' ? 'DATABASE()' : 'current_schema()'} AND table_name = ?
        AND COALESCE(generation_expression, '') = ''
      ORDER BY ordinal_position`,
    [table],
  );
  return rowsOf<{ name: string; type: string }>(result).map(({ name, type }) => ({
    name,
    type: typeNames[database.kind][type.toLowerCase()] ?? 'text',
  }));
}

/** Table and column names come from owners, manifests and the schema: quoted, and never anything but a plain name. */
export function sqlName(kind: DatabaseKind, name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) throw new RangeError(`"${name}" is not the name of a table or column`);
  return kind === 'mysql' ? `\`${name}\`` : `"${name}"`;
}

/** What to select so that the server answers the column as text, under its own name. */
export function columnAsText(kind: DatabaseKind, { name, type }: ArchiveColumn): string {
  const column = sqlName(kind, name);
  const expressions: Record<ArchiveColumnType, string> =
    kind === 'mysql'
      ? {
          integer: `CAST(${column} AS CHAR)`,
          double: `CAST(${column} AS CHAR)`,
          instant: `DATE_FORMAT(${column}, '%Y-%m-%dT%H:%i:%s.%fZ')`,
          bytes: `LOWER(HEX(${column}))`,
          text: `CAST(${column} AS CHAR)`,
        }
      : {
          integer: `${column}::text`,
          double: `${column}::text`,
          instant: `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
          bytes: `encode(${column}, 'hex')`,
          text: `${column}::text`,
        };
  return `${expressions[type]} AS ${column}`;
}

export function archivedValue(type: ArchiveColumnType, text: string | null): ArchivedValue {
  if (text === null) return null;
  if (type === 'integer') return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  if (type === 'double') return Number.isFinite(Number(text)) ? Number(text) : text;
  if (type === 'instant') return text.replace(/000Z$/, 'Z');
  return text;
}

/** What to bind so that the column holds the archived value again. */
export function restoredValue(
  kind: DatabaseKind,
  type: ArchiveColumnType,
  value: ArchivedValue,
): string | number | Buffer | null {
  if (value === null) return null;
  if (type === 'bytes') return Buffer.from(String(value), 'hex');
  if (type === 'instant' && kind === 'mysql') return String(value).replace('T', ' ').replace('Z', '');
  return value;
}

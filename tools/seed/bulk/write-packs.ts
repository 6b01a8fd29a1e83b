/**
 * SQL that puts made-up packs into the tables, some hundreds in one transaction: whatever ends the run, a pack is there with all
 * that belongs to it, or not at all. The client sends what is of the pack; what is of its stickers, nine of ten rows, the server
 * makes itself from the packs and the pool of pictures, which are temporary tables meanwhile.
 */
import { scoreColumns } from '@omnizap/catalog';
import type { Database, Transaction } from '@omnizap/runtime';
import { engagementVersionOf, isListed, keyOf, type PackDescriber } from './describe-pack.ts';
import { animatedArt, stillArt } from './bulk-words.ts';
import type { PicturePool } from './picture-pool.ts';
import { createPackIds, type PlannedPack } from './plan-packs.ts';

/** PostgreSQL takes 65,535 parameters in one statement. */
const rowsPerInsert = 500;
const dayMs = 86_400_000;
/** Task versions of a pack that was made, filled, published and looked at. */
const rebuildVersion = 3;

type Context = {
  seed: number;
  stickersPerPack: number;
  pool: PicturePool;
  describer: PackDescriber;
  /** What ages count back from. */
  now: Date;
};

type Row = Record<string, unknown>;
type Numbered = { number: number; pack: PlannedPack };

/** Ends in one transaction, so `packs` should be few enough for one. */
export async function writePacks(database: Database, packs: Numbered[], context: Context): Promise<void> {
  const sql = createDialect(database);
  await database.transaction(async (trx) => {
    await skipForeignKeyChecks(trx, database.kind);
    await createStaging(trx, sql);
    await stage(trx, packs, context);
    await insertPacks(trx, packs, context);
    await fillStickers(trx, sql, context);
    await insertStickers(trx, sql);
    await insertTerms(trx, packs, context.describer);
    for (const table of stagingTables) await trx.raw(sql.dropTemporary(table));
  });
}

/** The work of curation is done for every theme there is. */
export async function writeThemes(database: Database, pool: PicturePool): Promise<void> {
  const themes = [...new Set(pool.map(({ classification }) => classification.themeKey))];
  await database
    .knex('work_state')
    .insert(themes.map((theme) => workState('curation', theme, 1)))
    .onConflict(['task_type', 'subject_id'])
    .ignore();
}

const stagingTables = ['seed_picture', 'seed_pack', 'seed_common_term', 'seed_sticker'];

type Dialect = ReturnType<typeof createDialect>;

function createDialect({ kind }: Database) {
  const isPostgres = kind === 'postgres';
  return {
    types: isPostgres
      ? { id: 'uuid', instant: 'timestamptz(3)', bytes: 'bytea' }
      : { id: 'char(36) CHARACTER SET ascii COLLATE ascii_bin', instant: 'datetime(3)', bytes: 'varbinary(64)' },
    dropTemporary: (table: string): string => `DROP ${isPostgres ? '' : 'TEMPORARY '}TABLE IF EXISTS ${table}`,
    /** An id from its beginning and a number. */
    id: (prefix: string, number: string): string =>
      isPostgres
        ? `('${prefix}' || LPAD(to_hex(${number}), 12, '0'))::uuid`
        : `CONCAT('${prefix}', LPAD(LOWER(HEX(${number})), 12, '0'))`,
    sha256: (text: string): string =>
      isPostgres ? `encode(sha256(convert_to(${text}, 'UTF8')), 'hex')` : `SHA2(${text}, 256)`,
    text: (value: string): string => (isPostgres ? `${value}::text` : value),
    json: (value: string): string => (isPostgres ? `${value}::jsonb` : value),
  };
}

/**
 * Everything that a row refers to is made by the same transaction: checking each costs as much as writing it and finds nothing.
 * PostgreSQL lets only superusers do without; on MariaDB it makes no difference that could be measured.
 */
async function skipForeignKeyChecks(trx: Transaction, kind: Database['kind']): Promise<void> {
  if (kind === 'mysql') return;
  await trx.raw(
    "SELECT set_config('session_replication_role', 'replica', true) FROM pg_roles WHERE rolname = CURRENT_USER AND rolsuper",
  );
}

async function createStaging(trx: Transaction, { types, dropTemporary }: Dialect): Promise<void> {
  // A transaction that is tried again on MariaDB finds them there.
  for (const table of stagingTables) await trx.raw(dropTemporary(table));
  const tables = {
    seed_picture: `picture integer PRIMARY KEY, emoji varchar(64), label varchar(255), mimetype varchar(64), format varchar(8),
      width integer, height integer, frame_count integer, is_animated smallint, size_bytes bigint,
      provider varchar(64), provider_version varchar(32), category varchar(64), theme_key varchar(96),
      confidence double precision, labels text, nsfw_level varchar(12), pixel_sha256 char(64), hash_first char(64),
      hash_middle char(64), hash_last char(64), hash_mask char(64), hash_quality smallint, features text,
      sticker_sha256 char(64), sticker_width integer, sticker_height integer, sticker_frame_count integer,
      sticker_size_bytes bigint, preview_sha256 char(64), preview_width integer, preview_height integer,
      preview_size_bytes bigint`,
    seed_pack: `pack_id ${types.id} PRIMARY KEY, owner_id varchar(128), first_sticker bigint, first_picture integer,
      is_animated smallint, is_listed smallint, look varchar(32), companion varchar(64), nsfw_level varchar(12), created_at ${types.instant}`,
    seed_common_term: `look varchar(32), term ${types.bytes}, PRIMARY KEY (look, term)`,
    seed_sticker: `asset_id ${types.id} PRIMARY KEY, pack_id ${types.id}, owner_id varchar(128), position integer, picture integer,
      companion varchar(64), nsfw_level varchar(12), created_at ${types.instant}`,
  };
  for (const [name, columns] of Object.entries(tables)) await trx.raw(`CREATE TEMPORARY TABLE ${name} (${columns})`);
}

async function stage(trx: Transaction, packs: Numbered[], { seed, pool, describer, now }: Context): Promise<void> {
  await insert(
    trx,
    'seed_picture',
    pool.map(({ emoji, label, probe, classification, sticker, preview }, picture) => ({
      ...{ picture, emoji, label, mimetype: probe.mimetype, format: probe.format },
      ...{ width: probe.width, height: probe.height, frame_count: probe.frameCount },
      ...{ is_animated: probe.isAnimated ? 1 : 0, size_bytes: probe.sizeBytes },
      provider: classification.provider,
      provider_version: classification.providerVersion,
      category: classification.category,
      theme_key: classification.themeKey,
      confidence: classification.confidence,
      labels: JSON.stringify(classification.labels),
      nsfw_level: classification.nsfwLevel,
      pixel_sha256: classification.pixelSha256,
      hash_first: classification.hashes.first,
      hash_middle: classification.hashes.middle,
      hash_last: classification.hashes.last,
      hash_mask: classification.hashes.mask,
      hash_quality: classification.hashQuality,
      features: JSON.stringify(classification.features),
      sticker_sha256: sticker.sha256,
      sticker_width: sticker.width,
      sticker_height: sticker.height,
      sticker_frame_count: sticker.frameCount,
      sticker_size_bytes: sticker.sizeBytes,
      preview_sha256: preview.sha256,
      preview_width: preview.width,
      preview_height: preview.height,
      preview_size_bytes: preview.sizeBytes,
    })),
  );
  const ids = createPackIds(seed);
  await insert(
    trx,
    'seed_pack',
    packs.map(({ number, pack }) => ({
      pack_id: pack.id,
      owner_id: pack.ownerId,
      first_sticker: ids.firstSticker(number),
      first_picture: pack.firstPicture,
      is_animated: pack.isAnimated ? 1 : 0,
      is_listed: isListed(pack) ? 1 : 0,
      look: keyOf(pack),
      companion: pack.companion,
      nsfw_level: pack.nsfwLevel,
      created_at: daysBefore(now, pack.createdDaysAgo),
    })),
  );
  const looks = new Map(packs.map(({ pack }) => [keyOf(pack), pack]));
  await insert(
    trx,
    'seed_common_term',
    [...looks].flatMap(([look, pack]) =>
      describer.commonTerms(pack).map((term) => ({ look, term: Buffer.from(term, 'utf8') })),
    ),
  );
}

async function insertPacks(trx: Transaction, packs: Numbered[], { describer, now }: Context): Promise<void> {
  const rows = (columns: (entry: Numbered) => Row): Row[] => packs.map(columns);
  await insert(
    trx,
    'sticker_pack',
    rows(({ pack }) => {
      const createdAt = daysBefore(now, pack.createdDaysAgo);
      return {
        ...{ id: pack.id, pack_key: pack.packKey, owner_id: pack.ownerId },
        ...{ name: pack.name, publisher: pack.publisher, description: pack.description },
        ...{ visibility: pack.visibility, status: pack.status, tags: JSON.stringify(pack.tags) },
        version: rebuildVersion,
        created_at: createdAt,
        published_at: pack.status === 'published' ? createdAt : null,
        updated_at: daysBefore(now, pack.updatedDaysAgo),
      };
    }),
  );
  await insert(
    trx,
    'sticker_pack_engagement',
    rows(({ pack }) => ({
      pack_id: pack.id,
      open_count: pack.counts.open,
      like_count: pack.counts.like,
      dislike_count: pack.counts.dislike,
      download_count: pack.counts.download,
      opens_day: pack.opensDay,
      opens_week: pack.opensWeek,
      trend_at: now,
      version: engagementVersionOf(pack),
    })),
  );
  // As if every interaction had left for the archives: counters equal totals plus log.
  await insert(
    trx,
    'sticker_pack_interaction_total',
    packs.flatMap(({ pack }) =>
      Object.entries(pack.counts)
        .filter(([, count]) => count > 0)
        .map(([interaction, archived_count]) => ({ pack_id: pack.id, interaction, archived_count })),
    ),
  );
  await insert(
    trx,
    'sticker_pack_score_snapshot',
    rows(({ number, pack }) => scoreColumns(pack.id, rebuildVersion, describer.scoreOf(pack, number))),
  );
  await insert(
    trx,
    'work_state',
    rows(({ pack }) => workState('rebuild', pack.id, rebuildVersion)),
  );
}

async function fillStickers(trx: Transaction, sql: Dialect, { seed, stickersPerPack }: Context): Promise<void> {
  const positions = Array.from({ length: stickersPerPack }, (_, position) => `SELECT ${position} AS position`);
  const [stills, animations] = [stillArt.length, animatedArt.length];
  // As `pictureAt` says.
  const picture = `CASE WHEN k.is_animated = 1 THEN ${stills} + (k.first_picture + n.position) % ${animations}
                        ELSE (k.first_picture + n.position) % ${stills} END`;
  await trx.raw(
    `INSERT INTO seed_sticker (asset_id, pack_id, owner_id, position, picture, companion, nsfw_level, created_at)
     SELECT ${sql.id(createPackIds(seed).stickerPrefix, 'k.first_sticker + n.position')}, k.pack_id, k.owner_id, n.position,
            ${picture}, CASE WHEN n.position % 3 = 2 THEN k.companion ELSE NULL END, k.nsfw_level, k.created_at
       FROM seed_pack k CROSS JOIN (${positions.join(' UNION ALL ')}) n ORDER BY 1`,
  );
}

async function insertStickers(trx: Transaction, sql: Dialect): Promise<void> {
  const fill = async (table: string, values: Record<string, string>): Promise<void> => {
    await trx.raw(
      `INSERT INTO ${table} (${Object.keys(values).join(', ')})
       SELECT ${Object.values(values).join(', ')} FROM seed_sticker s JOIN seed_picture p ON p.picture = s.picture ORDER BY s.asset_id`,
    );
  };
  const same = (alias: string, ...names: string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, `${alias}.${name}`]));
  await fill('sticker_asset', {
    id: 's.asset_id',
    ...same('s', 'owner_id', 'created_at'),
    // Of an upload that nobody kept.
    sha256: sql.sha256(sql.text('s.asset_id')),
    ...same('p', 'mimetype', 'format', 'width', 'height', 'frame_count', 'is_animated', 'size_bytes'),
    status: "'ready'",
    version: '2',
    updated_at: 's.created_at',
  });
  await fill('sticker_asset_classification', {
    ...same('s', 'asset_id', 'nsfw_level'),
    source_version: '1',
    ...same('p', 'provider', 'provider_version', 'category', 'theme_key', 'confidence', 'pixel_sha256'),
    ...same('p', 'hash_first', 'hash_middle', 'hash_last', 'hash_mask', 'hash_quality'),
    labels: sql.json('p.labels'),
    features: sql.json('p.features'),
    classified_at: 's.created_at',
  });
  for (const variant of ['preview', 'sticker']) {
    await fill('sticker_asset_derivative', {
      ...same('s', 'asset_id', 'created_at'),
      variant: `'${variant}'`,
      source_version: '1',
      sha256: `p.${variant}_sha256`,
      width: `p.${variant}_width`,
      height: `p.${variant}_height`,
      frame_count: variant === 'preview' ? '1' : 'p.sticker_frame_count',
      size_bytes: `p.${variant}_size_bytes`,
    });
  }
  const emojis = `CASE WHEN s.companion IS NULL THEN CONCAT('["', p.emoji, '"]') ELSE CONCAT('["', p.emoji, '","', s.companion, '"]') END`;
  await fill('sticker_pack_item', {
    ...same('s', 'pack_id', 'asset_id', 'position', 'created_at'),
    emojis: sql.json(`(${emojis})`),
    accessibility_label: 'CASE WHEN s.position % 4 = 0 THEN p.label ELSE NULL END',
  });
  for (const taskType of ['classification', 'derivative']) {
    await fill('work_state', {
      task_type: `'${taskType}'`,
      subject_id: sql.text('s.asset_id'),
      wanted_version: '1',
      done_version: '1',
      seen_version: '1',
      wanted_at: 's.created_at',
    });
  }
}

async function insertTerms(trx: Transaction, packs: Numbered[], describer: PackDescriber): Promise<void> {
  await trx.raw(
    `INSERT INTO sticker_pack_term (pack_id, term)
     SELECT k.pack_id, c.term FROM seed_pack k JOIN seed_common_term c ON c.look = k.look
      WHERE k.is_listed = 1 ORDER BY k.pack_id, c.term`,
  );
  await insert(
    trx,
    'sticker_pack_term',
    packs
      .filter(({ pack }) => isListed(pack))
      .flatMap(({ pack }) =>
        describer.ownTerms(pack).map((term) => ({ pack_id: pack.id, term: Buffer.from(term, 'utf8') })),
      ),
  );
}

async function insert(trx: Transaction, table: string, rows: Row[]): Promise<void> {
  for (let start = 0; start < rows.length; start += rowsPerInsert)
    await trx(table).insert(rows.slice(start, start + rowsPerInsert));
}

function workState(task_type: string, subject_id: string, version: number): Row {
  return { task_type, subject_id, wanted_version: version, done_version: version, seen_version: version };
}

const daysBefore = (now: Date, days: number): Date => new Date(Math.floor(now.getTime() - days * dayMs));

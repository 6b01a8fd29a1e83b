/** Stickers, packs, engagement and the ranking that is read from them. */
import type { Knex } from 'knex';
import { createTables, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    name: 'sticker_asset',
    columns: {
      id: { type: 'uuid' },
      owner_id: { type: 'varchar(128)' },
      sha256: { type: 'sha256' },
      mimetype: { type: 'ascii(64)' },
      format: { type: 'ascii(8)' },
      width: { type: 'integer' },
      height: { type: 'integer' },
      frame_count: { type: 'integer' },
      is_animated: { type: 'smallint' },
      size_bytes: { type: 'bigint' },
      status: { type: 'ascii(12)', default: "'pending'" },
      rejection_code: { type: 'ascii(64)', nullable: true },
      rejection_reason: { type: 'varchar(500)', nullable: true },
      version: { type: 'bigint', default: 1 },
      created_at: { type: 'instant', default: 'now' },
      updated_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    unique: [{ name: 'sticker_asset_owner_sha256_key', columns: ['owner_id', 'sha256'] }],
    checks: [{ name: 'sticker_asset_status_check', expression: "status IN ('pending', 'ready', 'rejected')" }],
  },
  {
    name: 'sticker_asset_classification',
    columns: {
      asset_id: { type: 'uuid' },
      source_version: { type: 'bigint' },
      provider: { type: 'ascii(64)' },
      provider_version: { type: 'ascii(32)' },
      category: { type: 'ascii(64)' },
      theme_key: { type: 'ascii(96)' },
      confidence: { type: 'double' },
      labels: { type: 'json' },
      nsfw_level: { type: 'ascii(12)' },
      pixel_sha256: { type: 'sha256' },
      hash_first: { type: 'sha256' },
      hash_middle: { type: 'sha256', nullable: true },
      hash_last: { type: 'sha256', nullable: true },
      hash_mask: { type: 'sha256', nullable: true },
      hash_quality: { type: 'smallint' },
      features: { type: 'json' },
      // An operator asked for another look.
      reprocess_requested_at: { type: 'instant', nullable: true },
      // A second look at a doubtful result found the same: not doubtful again until something changes.
      reviewed_at: { type: 'instant', nullable: true },
      classified_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['asset_id'],
    indexes: [
      { name: 'sticker_asset_classification_theme_idx', columns: ['theme_key', 'asset_id'] },
      { name: 'sticker_asset_classification_provider_idx', columns: ['provider', 'provider_version', 'asset_id'] },
      { name: 'sticker_asset_classification_confidence_idx', columns: ['confidence', 'classified_at'] },
      { name: 'sticker_asset_classification_reprocess_idx', columns: ['reprocess_requested_at'] },
    ],
    foreignKeys: [
      {
        name: 'sticker_asset_classification_asset_fk',
        columns: ['asset_id'],
        references: 'sticker_asset (id)',
        onDelete: 'cascade',
      },
    ],
  },
  {
    name: 'sticker_asset_derivative',
    columns: {
      asset_id: { type: 'uuid' },
      variant: { type: 'ascii(16)' },
      source_version: { type: 'bigint' },
      sha256: { type: 'sha256' },
      width: { type: 'integer' },
      height: { type: 'integer' },
      frame_count: { type: 'integer' },
      size_bytes: { type: 'bigint' },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['asset_id', 'variant'],
    foreignKeys: [
      {
        name: 'sticker_asset_derivative_asset_fk',
        columns: ['asset_id'],
        references: 'sticker_asset (id)',
        onDelete: 'cascade',
      },
    ],
  },
  {
    name: 'sticker_pack',
    columns: {
      id: { type: 'uuid' },
      pack_key: { type: 'ascii(64)' },
      owner_id: { type: 'varchar(128)' },
      name: { type: 'varchar(120)' },
      publisher: { type: 'varchar(120)' },
      description: { type: 'varchar(1024)', default: "''" },
      visibility: { type: 'ascii(10)', default: "'private'" },
      status: { type: 'ascii(10)', default: "'draft'" },
      tags: { type: 'json' },
      is_auto_pack: { type: 'smallint', default: 0 },
      theme_key: { type: 'ascii(96)', nullable: true },
      theme_volume: { type: 'integer', nullable: true },
      version: { type: 'bigint', default: 1 },
      published_at: { type: 'instant', nullable: true },
      created_at: { type: 'instant', default: 'now' },
      updated_at: { type: 'instant', default: 'now' },
      deleted_at: { type: 'instant', nullable: true },
    },
    primaryKey: ['id'],
    unique: [
      { name: 'sticker_pack_pack_key_key', columns: ['pack_key'] },
      { name: 'sticker_pack_theme_key', columns: ['theme_key', 'theme_volume'] },
    ],
    indexes: [{ name: 'sticker_pack_owner_idx', columns: ['owner_id', 'deleted_at', 'id'] }],
    checks: [
      { name: 'sticker_pack_visibility_check', expression: "visibility IN ('private', 'unlisted', 'public')" },
      { name: 'sticker_pack_status_check', expression: "status IN ('draft', 'published')" },
    ],
  },
  {
    name: 'sticker_pack_item',
    columns: {
      pack_id: { type: 'uuid' },
      asset_id: { type: 'uuid' },
      position: { type: 'integer' },
      emojis: { type: 'json' },
      accessibility_label: { type: 'varchar(255)', nullable: true },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['pack_id', 'asset_id'],
    unique: [{ name: 'sticker_pack_item_position_key', columns: ['pack_id', 'position'] }],
    indexes: [{ name: 'sticker_pack_item_asset_idx', columns: ['asset_id', 'pack_id'] }],
    foreignKeys: [
      { name: 'sticker_pack_item_pack_fk', columns: ['pack_id'], references: 'sticker_pack (id)', onDelete: 'cascade' },
      {
        name: 'sticker_pack_item_asset_fk',
        columns: ['asset_id'],
        references: 'sticker_asset (id)',
        onDelete: 'restrict',
      },
    ],
  },
  {
    name: 'sticker_pack_engagement',
    columns: {
      pack_id: { type: 'uuid' },
      open_count: { type: 'bigint', default: 0 },
      like_count: { type: 'bigint', default: 0 },
      dislike_count: { type: 'bigint', default: 0 },
      download_count: { type: 'bigint', default: 0 },
      // Exponentially decayed opens, time constants 24 h and 7 d, as of trend_at: trends age without a row being rewritten.
      opens_day: { type: 'double', default: 0 },
      opens_week: { type: 'double', default: 0 },
      trend_at: { type: 'instant', default: 'now' },
      version: { type: 'bigint', default: 0 },
    },
    primaryKey: ['pack_id'],
    foreignKeys: [
      {
        name: 'sticker_pack_engagement_pack_fk',
        columns: ['pack_id'],
        references: 'sticker_pack (id)',
        onDelete: 'cascade',
      },
    ],
  },
  {
    name: 'sticker_pack_interaction_event',
    columns: {
      id: { type: 'serial' },
      pack_id: { type: 'uuid' },
      interaction: { type: 'ascii(10)' },
      viewer_hash: { type: 'sha256' },
      address_hash: { type: 'sha256' },
      window_number: { type: 'bigint' },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    unique: [
      {
        name: 'sticker_pack_interaction_event_viewer_key',
        columns: ['pack_id', 'interaction', 'viewer_hash', 'window_number'],
      },
    ],
    indexes: [
      {
        name: 'sticker_pack_interaction_event_address_idx',
        columns: ['pack_id', 'address_hash', 'interaction', 'window_number'],
      },
      { name: 'sticker_pack_interaction_event_created_idx', columns: ['created_at'] },
    ],
    foreignKeys: [
      {
        name: 'sticker_pack_interaction_event_pack_fk',
        columns: ['pack_id'],
        references: 'sticker_pack (id)',
        onDelete: 'cascade',
      },
    ],
  },
  {
    name: 'sticker_pack_score_snapshot',
    columns: {
      pack_id: { type: 'uuid' },
      source_version: { type: 'bigint' },
      pack_score: { type: 'double' },
      quality_score: { type: 'double' },
      engagement_score: { type: 'double' },
      diversity_score: { type: 'double' },
      cohesion_score: { type: 'double' },
      confidence_score: { type: 'double' },
      duplicate_share: { type: 'double' },
      nsfw_level: { type: 'ascii(12)' },
      is_listed: { type: 'smallint' },
      is_animated: { type: 'smallint' },
      is_whatsapp_ready: { type: 'smallint' },
      sticker_count: { type: 'integer' },
      categories: { type: 'json' },
      labels: { type: 'json' },
      cover_asset_id: { type: 'uuid', nullable: true },
      engagement_version: { type: 'bigint' },
      refreshed_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['pack_id'],
    indexes: [
      { name: 'sticker_pack_score_snapshot_refreshed_idx', columns: ['refreshed_at'] },
      { name: 'sticker_pack_score_snapshot_listed_idx', columns: ['is_listed', 'pack_id'] },
    ],
    foreignKeys: [
      {
        name: 'sticker_pack_score_snapshot_pack_fk',
        columns: ['pack_id'],
        references: 'sticker_pack (id)',
        onDelete: 'cascade',
      },
    ],
  },
  {
    name: 'ranking_generation',
    columns: {
      generation: { type: 'bigint' },
      pack_count: { type: 'integer' },
      refreshed_at: { type: 'instant' },
      superseded_at: { type: 'instant', nullable: true },
    },
    primaryKey: ['generation'],
  },
  {
    // Pack ids in order, 16 bytes each, in chunks: a page reads one row, a generation of 100,000 packs is 10 MB.
    name: 'ranking_generation_chunk',
    columns: {
      generation: { type: 'bigint' },
      sort: { type: 'ascii(16)' },
      chunk: { type: 'integer' },
      pack_ids: { type: 'bytes' },
    },
    primaryKey: ['generation', 'sort', 'chunk'],
    foreignKeys: [
      {
        name: 'ranking_generation_chunk_generation_fk',
        columns: ['generation'],
        references: 'ranking_generation (generation)',
        onDelete: 'cascade',
      },
    ],
  },
];

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
}

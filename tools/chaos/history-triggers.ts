/**
 * Triggers that the harness puts on its private databases, so that every committed effect leaves a row of its own: final tables
 * show where things ended, not whether they went back and forth. The product knows nothing of them.
 *
 * Numbers are given out when a row is written. Of one subject they are in commit order, because its row is locked until then.
 */
import type { Sql } from './sql.ts';

export async function installCatalogueHistory(catalogue: Sql): Promise<void> {
  for (const statement of catalogue.kind === 'postgres' ? postgresStatements() : mariadbStatements())
    await catalogue.query(statement);
}

/** Who had which task when: the port of the connection leads through the proxies to the process. */
export async function installQueueHistory(queue: Sql): Promise<void> {
  for (const statement of queueStatements) await queue.query(statement);
}

type Watched = {
  table: string;
  subject: string;
  version: string;
  /** True for an update that is an effect; PostgreSQL spelling with `<>`. */
  isEffect: string;
};

const watched: Watched[] = [
  {
    table: 'sticker_asset_classification',
    subject: 'NEW.asset_id',
    version: 'NEW.source_version',
    // Marks for another look come and go without a new result.
    isEffect: 'NEW.source_version <> OLD.source_version OR NEW.classified_at <> OLD.classified_at',
  },
  {
    table: 'sticker_asset_derivative',
    subject: "CONCAT(NEW.asset_id, ':', NEW.variant)",
    version: 'NEW.source_version',
    isEffect: '1 = 1',
  },
  {
    table: 'sticker_pack_score_snapshot',
    subject: 'NEW.pack_id',
    version: 'NEW.source_version',
    isEffect: '1 = 1',
  },
  {
    table: 'work_state',
    subject: "CONCAT(NEW.task_type, ':', NEW.subject_id)",
    version: 'NEW.done_version',
    isEffect: 'NEW.done_version <> OLD.done_version',
  },
  {
    table: 'sticker_pack_interaction_event',
    subject: "CONCAT(NEW.pack_id, ':', NEW.interaction, ':', NEW.viewer_hash, ':', NEW.window_number)",
    version: '1',
    isEffect: '1 = 0',
  },
];

function postgresStatements(): string[] {
  const statements = [
    `CREATE TABLE chaos_effect (
       seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
       actor text NOT NULL, table_name text NOT NULL, subject text NOT NULL, version bigint NOT NULL)`,
    `CREATE TABLE chaos_event (
       seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
       batch text NOT NULL, actor text NOT NULL, operation text NOT NULL, event_id bigint NOT NULL, event_type text NOT NULL,
       aggregate text NOT NULL, action text, request_id text, old_status text, new_status text)`,
    `CREATE FUNCTION chaos_actor() RETURNS text LANGUAGE sql STABLE AS
       $$ SELECT COALESCE(NULLIF(current_setting('chaos.actor', true), ''), 'product') $$`,
    `CREATE FUNCTION chaos_note_event() RETURNS trigger LANGUAGE plpgsql AS $$
     DECLARE
       event domain_event_outbox := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
     BEGIN
       INSERT INTO chaos_event (batch, actor, operation, event_id, event_type, aggregate, action, request_id, old_status, new_status)
       VALUES (pg_current_xact_id()::text, chaos_actor(), lower(TG_OP), event.id, event.event_type,
               event.aggregate_type || ':' || event.aggregate_id, event.payload->>'action', event.request_id,
               CASE WHEN TG_OP <> 'INSERT' THEN OLD.status END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.status END);
       RETURN NULL;
     END $$`,
    `CREATE TRIGGER chaos_event_insert AFTER INSERT OR DELETE ON domain_event_outbox
       FOR EACH ROW EXECUTE FUNCTION chaos_note_event()`,
    `CREATE TRIGGER chaos_event_update AFTER UPDATE ON domain_event_outbox
       FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION chaos_note_event()`,
  ];
  for (const { table, subject, version, isEffect } of watched) {
    statements.push(
      `CREATE FUNCTION chaos_note_${table}() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF TG_OP = 'UPDATE' THEN
           IF NOT (${isEffect}) THEN RETURN NULL; END IF;
         END IF;
         INSERT INTO chaos_effect (actor, table_name, subject, version) VALUES (chaos_actor(), '${table}', ${subject}, ${version});
         RETURN NULL;
       END $$`,
      `CREATE TRIGGER chaos_effect AFTER INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION chaos_note_${table}()`,
    );
  }
  return statements;
}

function mariadbStatements(): string[] {
  const actor = "COALESCE(@chaos_actor, 'product')";
  // NOW(6) is that of the statement: with the connection it names the statement.
  const batch = "CONCAT(CONNECTION_ID(), ':', NOW(6))";
  const event = (row: 'NEW' | 'OLD', operation: string, oldStatus: string, newStatus: string): string =>
    `INSERT INTO chaos_event (batch, actor, operation, event_id, event_type, aggregate, action, request_id, old_status, new_status)
     VALUES (${batch}, ${actor}, '${operation}', ${row}.id, ${row}.event_type, CONCAT(${row}.aggregate_type, ':', ${row}.aggregate_id),
             JSON_UNQUOTE(JSON_EXTRACT(${row}.payload, '$.action')), ${row}.request_id, ${oldStatus}, ${newStatus});`;
  const statements = [
    `CREATE TABLE chaos_effect (
       seq bigint AUTO_INCREMENT PRIMARY KEY, at datetime(6) NOT NULL DEFAULT NOW(6),
       actor varchar(16) NOT NULL, table_name varchar(64) NOT NULL, subject varchar(255) NOT NULL, version bigint NOT NULL)`,
    `CREATE TABLE chaos_event (
       seq bigint AUTO_INCREMENT PRIMARY KEY, at datetime(6) NOT NULL DEFAULT NOW(6),
       batch varchar(64) NOT NULL, actor varchar(16) NOT NULL, operation varchar(8) NOT NULL, event_id bigint NOT NULL,
       event_type varchar(96) NOT NULL, aggregate varchar(200) NOT NULL, action varchar(64), request_id varchar(128),
       old_status varchar(12), new_status varchar(12))`,
    `CREATE TRIGGER chaos_event_insert AFTER INSERT ON domain_event_outbox FOR EACH ROW
       ${event('NEW', 'insert', 'NULL', 'NEW.status')}`,
    `CREATE TRIGGER chaos_event_update AFTER UPDATE ON domain_event_outbox FOR EACH ROW
       BEGIN IF NEW.status <> OLD.status THEN ${event('NEW', 'update', 'OLD.status', 'NEW.status')} END IF; END`,
    `CREATE TRIGGER chaos_event_delete AFTER DELETE ON domain_event_outbox FOR EACH ROW
       ${event('OLD', 'delete', 'OLD.status', 'NULL')}`,
  ];
  for (const { table, subject, version, isEffect } of watched) {
    const note = `INSERT INTO chaos_effect (actor, table_name, subject, version) VALUES (${actor}, '${table}', ${subject}, ${version});`;
    statements.push(
      `CREATE TRIGGER chaos_effect_insert_${table} AFTER INSERT ON ${table} FOR EACH ROW ${note}`,
      `CREATE TRIGGER chaos_effect_update_${table} AFTER UPDATE ON ${table} FOR EACH ROW BEGIN IF ${isEffect} THEN ${note} END IF; END`,
    );
  }
  return statements;
}

const queueStatements = [
  `CREATE TABLE chaos_job (
     seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
     actor text NOT NULL, port integer, operation text NOT NULL, job_id uuid NOT NULL, queue text NOT NULL, subject text,
     state text, attempt integer, start_after timestamptz)`,
  `CREATE FUNCTION chaos_note_job() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE
     job pgboss.job := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
   BEGIN
     INSERT INTO chaos_job (actor, port, operation, job_id, queue, subject, state, attempt, start_after)
     VALUES (COALESCE(NULLIF(current_setting('chaos.actor', true), ''), 'product'), inet_client_port(), lower(TG_OP), job.id, job.name,
             job.singleton_key, CASE WHEN TG_OP <> 'DELETE' THEN job.state::text END, job.retry_count,
             CASE WHEN TG_OP <> 'DELETE' THEN job.start_after END);
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER chaos_job_insert AFTER INSERT OR DELETE ON pgboss.job FOR EACH ROW EXECUTE FUNCTION chaos_note_job()`,
  `CREATE TRIGGER chaos_job_update AFTER UPDATE ON pgboss.job FOR EACH ROW
     WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.started_on IS DISTINCT FROM NEW.started_on) EXECUTE FUNCTION chaos_note_job()`,
];

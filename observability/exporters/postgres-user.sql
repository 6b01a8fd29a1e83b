-- The user of postgres-exporter: sees statistics of every session, no row of any table. Can be run again, to change the password. It
-- has none of its own: while no password is set, or an empty one, it stops before it makes anybody.
--   { printf "SET omnizap.exporter_password = '%s';\n" "${POSTGRES_EXPORTER_PASSWORD:?}"; cat observability/exporters/postgres-user.sql; } |
--     docker compose exec -T postgres psql --username=omnizap --dbname=omnizap --set=ON_ERROR_STOP=1
DO $$
DECLARE
  password text := nullif(current_setting('omnizap.exporter_password', true), '');
BEGIN
  IF password IS NULL THEN
    RAISE EXCEPTION 'omnizap_exporter needs a password: SET omnizap.exporter_password';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'omnizap_exporter') THEN
    CREATE ROLE omnizap_exporter;
  END IF;
  EXECUTE format('ALTER ROLE omnizap_exporter WITH LOGIN CONNECTION LIMIT 3 PASSWORD %L', password);
  GRANT pg_monitor TO omnizap_exporter;
END
$$;

-- The user of postgres-exporter: sees statistics of every session, no row of any table. Can be run again, to change the password.
--   docker compose exec -T postgres psql --username=omnizap --dbname=omnizap --set=password="$POSTGRES_EXPORTER_PASSWORD" \
--     < observability/exporters/postgres-user.sql
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE omnizap_exporter' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'omnizap_exporter') \gexec
ALTER ROLE omnizap_exporter WITH LOGIN CONNECTION LIMIT 3 PASSWORD :'password';
GRANT pg_monitor TO omnizap_exporter;

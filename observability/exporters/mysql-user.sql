-- The user of mysqld-exporter: sees statistics of every session, no row of any table. Can be run again, to change the password. It
-- has none of its own: without @password, or with an empty one, it stops before it makes anybody.
--   { printf "SET @password = '%s';\n" "${MYSQLD_EXPORTER_PASSWORD:?}"; cat observability/exporters/mysql-user.sql; } |
--     docker compose exec -T mysql sh -c 'exec mysql --user=root --password="$MYSQL_ROOT_PASSWORD"'
SET @quoted = QUOTE(NULLIF(@password, ''));
SET @create = CONCAT("CREATE USER IF NOT EXISTS 'omnizap_exporter'@'%' IDENTIFIED BY ", @quoted);
SET @change = CONCAT("ALTER USER 'omnizap_exporter'@'%' IDENTIFIED BY ", @quoted, ' WITH MAX_USER_CONNECTIONS 3');
PREPARE create_user FROM @create;
EXECUTE create_user;
PREPARE change_user FROM @change;
EXECUTE change_user;
GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'omnizap_exporter'@'%';
GRANT SELECT ON performance_schema.* TO 'omnizap_exporter'@'%';

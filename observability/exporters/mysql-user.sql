-- The user of mysqld-exporter: sees statistics of every session, no row of any table. Replace the password, or set it afterwards:
--   docker compose exec -T mysql mysql --user=root --password="$MYSQL_ROOT_PASSWORD" < observability/exporters/mysql-user.sql
--   ALTER USER 'omnizap_exporter'@'%' IDENTIFIED BY '...';
CREATE USER IF NOT EXISTS 'omnizap_exporter'@'%' IDENTIFIED BY 'development-only' WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'omnizap_exporter'@'%';
GRANT SELECT ON performance_schema.* TO 'omnizap_exporter'@'%';

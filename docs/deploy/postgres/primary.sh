#!/bin/bash
# Runs once, when the primary's data is made: it lets the standby in, and waits for it from the next start on.
set -e
psql -v ON_ERROR_STOP=1 -v password="$REPLICATION_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
create role replicator login replication password :'password';
alter system set synchronous_standby_names = 'standby1';
SQL
echo 'host replication replicator all scram-sha-256' >> "$PGDATA/pg_hba.conf"

#!/bin/bash
# Copies the primary at the first start, and follows it. $PGPASSWORD is the password of the role replicator.
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  pg_basebackup -h "$PRIMARY" -p "${PRIMARY_PORT:-5432}" -U replicator -D "$PGDATA" -X stream -c fast
  touch "$PGDATA/standby.signal"
  chmod 700 "$PGDATA"
fi
exec postgres -D "$PGDATA" "$@" \
  -c "primary_conninfo=host=$PRIMARY port=${PRIMARY_PORT:-5432} user=replicator password=$PGPASSWORD application_name=standby1"

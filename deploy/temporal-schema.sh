#!/bin/sh
# Makes Temporal's two databases and brings their schemas up to date. Safe to repeat: making what exists already fails
# and is passed over, while updating must succeed. The password comes from SQL_PASSWORD.
set -eu

schema=/etc/temporal/schema/postgresql/v12

tool() {
    temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p "$DB_PORT" -u "$POSTGRES_USER" "$@"
}

prepare() {
    tool --db "$1" create || echo "the database $1 exists"
    tool --db "$1" setup-schema -v 0.0 || echo "the database $1 has a schema"
    tool --db "$1" update-schema -d "$schema/$2/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility

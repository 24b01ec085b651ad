CREATE TABLE IF NOT EXISTS orders (
    id      TEXT PRIMARY KEY,
    body    TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS effects (
    key       TEXT PRIMARY KEY,
    digest    TEXT NOT NULL,
    kind      TEXT NOT NULL,
    order_id  TEXT NOT NULL,
    reference TEXT NOT NULL,
    at        TEXT NOT NULL,
    detail    TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS effects_by_order ON effects (order_id);
CREATE TABLE IF NOT EXISTS stock (
    sku     TEXT PRIMARY KEY,
    units   INTEGER NOT NULL CHECK (units >= 0),
    version INTEGER NOT NULL
) STRICT;
PRAGMA user_version = 2; -- last, so it says that the tables are there

-- What the log folds into. Everything here can be rebuilt from the log.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE state (
    kind    text    NOT NULL,
    id      text    NOT NULL,
    version integer NOT NULL,
    body    jsonb   NOT NULL,
    seq     bigint  NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE INDEX state_by_field ON state USING gin (body jsonb_path_ops);

CREATE TABLE sales (
    sku      text    NOT NULL,
    day      date    NOT NULL,
    units    integer NOT NULL,
    orders   integer NOT NULL,
    returned integer NOT NULL,
    revenue  numeric NOT NULL,
    PRIMARY KEY (sku, day)
);

CREATE INDEX sales_by_day ON sales (day);

-- Bitemporal statements: ``valid`` is when they hold in the world, ``belief`` when they were believed.
CREATE TABLE fact (
    fact_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject      text             NOT NULL,
    predicate    text             NOT NULL,
    object       text             NOT NULL,
    valid        tstzrange        NOT NULL CHECK (NOT isempty(valid)),
    belief       tstzrange        NOT NULL CHECK (NOT isempty(belief)),
    confidence   double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    status       text             NOT NULL CHECK (status IN ('proposed', 'asserted', 'retracted')),
    functional   boolean          NOT NULL,
    source_event uuid             NOT NULL,
    CONSTRAINT one_value_at_a_time EXCLUDE USING gist (subject WITH =, predicate WITH =, valid WITH &&, belief WITH &&)
        WHERE (status = 'asserted' AND functional)
);

CREATE INDEX fact_by_subject ON fact (subject, predicate);
CREATE INDEX fact_believed ON fact (subject, predicate) WHERE upper_inf(belief);

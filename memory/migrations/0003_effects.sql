-- The effect ledger and what guards it, the two boxes at the door, and the journal of the models.

CREATE TABLE effect (
    key             text        PRIMARY KEY,
    number          bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    connector       text        NOT NULL,
    run_id          text        NOT NULL,
    workflow        text        NOT NULL,
    step            text        NOT NULL,
    action          jsonb       NOT NULL,
    diff            jsonb       NOT NULL,
    status          text        NOT NULL
        CHECK (status IN ('reserved', 'executing', 'committed', 'failed', 'unknown', 'compensated')),
    policy_versions jsonb       NOT NULL,
    approval_id     text        NOT NULL,
    compensates     text        NOT NULL,
    receipt         jsonb,
    error           text        NOT NULL DEFAULT '',
    reserved_at     timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE INDEX effect_by_run ON effect (run_id, number);
CREATE INDEX effect_by_status ON effect (status, number);

-- What live effects have used: ``scope`` is day/<UTC date> or run/<run id>.
CREATE TABLE bound_usage (
    scope text    NOT NULL,
    bound text    NOT NULL,
    used  numeric NOT NULL,
    PRIMARY KEY (scope, bound)
);

CREATE TABLE breaker (
    connector   text    NOT NULL,
    action_kind text    NOT NULL,
    state       text    NOT NULL,
    failures    integer NOT NULL,
    opened_at   timestamptz,
    PRIMARY KEY (connector, action_kind)
);

CREATE TABLE outbox (
    item_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic     text        NOT NULL,
    key       text        NOT NULL,
    event_id  uuid        NOT NULL,
    at        timestamptz NOT NULL,
    delivered boolean     NOT NULL DEFAULT false
);

CREATE INDEX outbox_pending ON outbox (item_id) WHERE NOT delivered;

CREATE TABLE inbox (
    source      text        NOT NULL,
    external_id text        NOT NULL,
    raw         bytea       NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (source, external_id)
);

CREATE TABLE model_answer (
    cache_key text  PRIMARY KEY,
    answer    jsonb NOT NULL
);

CREATE TABLE model_call (
    call_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cache_key text        NOT NULL,
    engine    text        NOT NULL,
    model     text        NOT NULL,
    cost      numeric     NOT NULL CHECK (cost >= 0),
    at        timestamptz NOT NULL
);

CREATE INDEX model_call_by_time ON model_call (at);

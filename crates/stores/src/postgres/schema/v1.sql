-- Counterfoil's sessions, schema 1. Times are milliseconds since 1970, by the nodes' clocks; ids, subjects and names are
-- public ids and keyed hashes. The text of a session lies sealed in `record`; the other columns repeat of its head what the
-- functions below decide by.

CREATE SCHEMA IF NOT EXISTS {schema};

-- One row: what this is, whose keys it goes with, and where it was made.
CREATE TABLE {schema}.meta (
    single         boolean PRIMARY KEY DEFAULT true CHECK (single),
    format         integer NOT NULL,
    reference_mark bytea NOT NULL,
    home           text NOT NULL
);

-- How often all sessions of a subject were ended; of all subjects, under the empty name.
CREATE TABLE {schema}.epochs (
    subject  bytea PRIMARY KEY,
    epoch    bigint NOT NULL,
    reason   text NOT NULL,
    look_at  bigint NOT NULL
);
CREATE INDEX epochs_due ON {schema}.epochs (look_at) WHERE subject <> '';
INSERT INTO {schema}.epochs VALUES ('', 0, 'admin', 0);

-- Sessions, and as tombstones those with a reason. A touch changes `seen_at` and `record`: neither may ever be in an index,
-- nor in the condition of one, or touches stop being cheap (HOT).
CREATE TABLE {schema}.sessions (
    id            bytea PRIMARY KEY,
    subject       bytea,
    revision      bigint NOT NULL,
    created_at    bigint NOT NULL,
    seen_at       bigint NOT NULL,
    global_epoch  bigint NOT NULL,
    subject_epoch bigint NOT NULL,
    idle          bigint NOT NULL,
    unused_at     bigint NOT NULL,
    absolute_at   bigint NOT NULL,
    remember_at   bigint NOT NULL,
    forget_at     bigint NOT NULL,
    look_at       bigint NOT NULL,
    presented     boolean NOT NULL,
    reason        text,
    record        bytea,
    CHECK ((reason IS NULL) <> (record IS NULL))
) WITH (fillfactor = 80);
-- What is sealed does not shrink.
ALTER TABLE {schema}.sessions ALTER COLUMN record SET STORAGE EXTERNAL;
CREATE INDEX sessions_of_subject ON {schema}.sessions (subject) WHERE subject IS NOT NULL;
CREATE INDEX sessions_due ON {schema}.sessions (look_at);

-- The names others have for sessions.
CREATE TABLE {schema}.names (
    name bytea,
    id   bytea,
    PRIMARY KEY (name, id)
);
CREATE INDEX names_of_session ON {schema}.names (id);

-- What ended or changed, for the other nodes: `e`nded, `c`hanged, `s`ubject ended, `a`ll ended. Numbers are given out
-- before they are committed, so a reader follows `tx`: all below its snapshot's oldest running transaction is settled.
CREATE TABLE {schema}.rev (
    tx   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq  bigint GENERATED ALWAYS AS IDENTITY,
    at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL,
    key  bytea NOT NULL,
    PRIMARY KEY (tx, seq)
);

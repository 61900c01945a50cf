-- Rotations: attempts to give a credential a new version. A row says how far an attempt is; what is told of it elsewhere is
-- evidence, which is only ever added to.

CREATE TABLE rotations (
    id            TEXT   NOT NULL PRIMARY KEY,  -- what is made on the remote side carries it
    connection_id TEXT   NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    credential    TEXT   NOT NULL,
    mode          TEXT   NOT NULL,
    base_version  BIGINT NOT NULL,
    new_version   BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    run_id        TEXT,  -- whoever worked on it last
    failure       TEXT,
    next_at       BIGINT,
    created_at    BIGINT NOT NULL,
    ended_at      BIGINT
);
-- One attempt at a time per credential.
CREATE UNIQUE INDEX rotations_open ON rotations (connection_id, credential) WHERE ended_at IS NULL;
CREATE INDEX rotations_by_connection ON rotations (connection_id, created_at);

-- Every decision, with who made it.
CREATE TABLE rotation_journal (
    rotation_id TEXT   NOT NULL REFERENCES rotations (id) ON DELETE CASCADE,
    sequence    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    run_id      TEXT,
    attempt     BIGINT,
    note        TEXT   NOT NULL,
    PRIMARY KEY (rotation_id, sequence)
);

-- What was asked of the remote side and what it answered, sealed, before anybody looked at it. Not fenced: whoever has
-- received an answer may store it, even if it may decide nothing any more.
CREATE TABLE rotation_escrow (
    rotation_id TEXT   NOT NULL REFERENCES rotations (id) ON DELETE CASCADE,
    sequence    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    step        TEXT   NOT NULL,
    kind        TEXT   NOT NULL,  -- asked, answered, refused, withdrawn, void
    sealed      BLOB   NOT NULL,  -- of an answer, all of it; empty otherwise
    PRIMARY KEY (rotation_id, sequence)
);

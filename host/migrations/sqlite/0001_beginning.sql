-- The first shape of the store. Times are milliseconds since 1970 (UTC), flags are 0 or 1, JSON is text.
-- Deliberately plain: the same tables, names and numbers are what another dialect's 0001 creates.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE connections (
    id               TEXT   NOT NULL PRIMARY KEY,
    name             TEXT   NOT NULL,
    name_folded      TEXT   NOT NULL,
    description      TEXT   NOT NULL,
    connector        TEXT   NOT NULL,
    settings         TEXT   NOT NULL,
    max_parallel     BIGINT NOT NULL,
    tls              TEXT   NOT NULL,
    accepted_hosts   TEXT   NOT NULL,
    state            TEXT   NOT NULL,
    draft_of         TEXT,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    last_refresh_at  BIGINT,
    last_refresh_run TEXT
);
-- Two drafts may carry one name, two ready connections may not.
CREATE UNIQUE INDEX connections_by_name ON connections (name_folded) WHERE state = 'ready';

CREATE TABLE data_keys (
    connection_id TEXT   NOT NULL PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    sealed        BLOB   NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE credential_versions (
    connection_id TEXT   NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    credential    TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    remote_id     TEXT,
    note          TEXT   NOT NULL,
    PRIMARY KEY (connection_id, credential, version)
);
CREATE UNIQUE INDEX credential_versions_current ON credential_versions (connection_id, credential)
    WHERE state = 'current';

CREATE TABLE sealed_fields (
    connection_id TEXT   NOT NULL,
    credential    TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    field         TEXT   NOT NULL,
    purpose       TEXT   NOT NULL,
    sealed        BLOB   NOT NULL,
    PRIMARY KEY (connection_id, credential, version, field, purpose),
    FOREIGN KEY (connection_id, credential, version)
        REFERENCES credential_versions (connection_id, credential, version) ON DELETE CASCADE
);

CREATE TABLE runs (
    id               TEXT   NOT NULL PRIMARY KEY,
    connection_id    TEXT   NOT NULL,  -- no foreign key: history outlives the connection
    connection_name  TEXT   NOT NULL,
    connector        TEXT   NOT NULL,
    hook             TEXT   NOT NULL,
    state            TEXT   NOT NULL,
    attempt          BIGINT NOT NULL,
    owner            TEXT,
    lease_until      BIGINT,
    cancel_requested BIGINT NOT NULL,
    queued_at        BIGINT NOT NULL,
    started_at       BIGINT,
    finished_at      BIGINT,
    result           TEXT,
    failure          TEXT,
    log              TEXT,
    plugin           TEXT
);
-- One run at a time per connection and hook.
CREATE UNIQUE INDEX runs_active ON runs (connection_id, hook) WHERE state IN ('queued', 'running');
CREATE INDEX runs_by_connection ON runs (connection_id, queued_at);
CREATE INDEX runs_by_time ON runs (queued_at);

CREATE TABLE events (
    run_id   TEXT   NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    level    TEXT   NOT NULL,
    message  TEXT   NOT NULL,
    PRIMARY KEY (run_id, sequence)
);

-- A generation is what one attempt of one run staged for one kind. Its number is never used again.
CREATE TABLE catalog_generations (
    generation    INTEGER PRIMARY KEY AUTOINCREMENT,
    connection_id TEXT   NOT NULL,  -- no foreign key: the rows of a deleted connection are collected later
    kind          TEXT   NOT NULL,
    run_id        TEXT   NOT NULL,
    attempt       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);

-- Keyed by arrival, so that staging always appends. No second index: random ids would cost ten times the insert.
CREATE TABLE catalog_objects (
    generation BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    id         TEXT   NOT NULL,
    hash       BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    parent     TEXT,
    modified   TEXT,
    links      TEXT   NOT NULL,
    attributes TEXT   NOT NULL,
    PRIMARY KEY (generation, position)
) WITHOUT ROWID;

-- What readers look at: the generation that is valid for each kind.
CREATE TABLE catalog_kinds (
    connection_id TEXT   NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    kind          TEXT   NOT NULL,
    generation    BIGINT,
    count         BIGINT NOT NULL,
    refreshed_at  BIGINT NOT NULL,
    kept_reason   TEXT,
    PRIMARY KEY (connection_id, kind)
);
CREATE INDEX catalog_kinds_by_generation ON catalog_kinds (generation);

CREATE TABLE connection_state (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    key           TEXT NOT NULL,
    value         TEXT NOT NULL,
    PRIMARY KEY (connection_id, key)
);

CREATE TABLE kept_sessions (
    connection_id TEXT   NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    name          TEXT   NOT NULL,
    credential    TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    origin        TEXT   NOT NULL,
    sealed        BLOB   NOT NULL,
    facts         TEXT   NOT NULL,
    expires_at    BIGINT NOT NULL,
    PRIMARY KEY (connection_id, name)
);

-- Who is fetching a session at the moment. Apart from the session, so that dropping one leaves the other.
CREATE TABLE session_claims (
    connection_id TEXT   NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    name          TEXT   NOT NULL,
    holder        TEXT   NOT NULL,
    held_until    BIGINT NOT NULL,
    PRIMARY KEY (connection_id, name)
);

CREATE TABLE descriptions (
    digest      TEXT   NOT NULL PRIMARY KEY,
    description TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);

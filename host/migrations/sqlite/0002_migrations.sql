-- Migrations, as people plan them: from which connection to which other one content is to be moved.

-- A connection that a migration uses is not deleted: the foreign keys hold whatever a program forgets.
CREATE TABLE migrations (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    name_folded TEXT   NOT NULL,
    description TEXT   NOT NULL,
    source_id   TEXT   NOT NULL REFERENCES connections (id),
    target_id   TEXT   NOT NULL REFERENCES connections (id),
    created_at  BIGINT NOT NULL,
    CHECK (source_id <> target_id)
);
CREATE UNIQUE INDEX migrations_by_name ON migrations (name_folded);
CREATE INDEX migrations_by_source ON migrations (source_id);
CREATE INDEX migrations_by_target ON migrations (target_id);

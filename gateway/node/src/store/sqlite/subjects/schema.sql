-- Keys of subjects. Instants are milliseconds since the epoch; ids and tags are raw bytes.

CREATE TABLE meta (
    only      INTEGER PRIMARY KEY CHECK (only = 1),
    country   TEXT NOT NULL,
    realm     TEXT NOT NULL,
    instance  BLOB NOT NULL,
    key_check BLOB NOT NULL
) STRICT;

-- Rows are appended and never deleted; a destroyed key is overwritten with as many zeros, its subject
-- with its own id twice. No index holds key bytes.
CREATE TABLE subject_key (
    seq     INTEGER PRIMARY KEY,
    key     BLOB NOT NULL UNIQUE,
    subject BLOB NOT NULL UNIQUE,
    wrapped BLOB NOT NULL
) STRICT;

-- What a store that is restored from an older copy has to be told again. Rows are never deleted.
CREATE TABLE destroyed (
    seq   INTEGER PRIMARY KEY,
    key   BLOB NOT NULL UNIQUE,
    at_ms INTEGER NOT NULL
) STRICT;

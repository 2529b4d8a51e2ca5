-- How a node is operated: what it has suspended, and which policies were put in force by whom.

-- A row is one suspension from its placing to its lifting; one in force per target.
CREATE TABLE suspension (
    seq       INTEGER PRIMARY KEY,
    target    TEXT NOT NULL,
    reason    TEXT NOT NULL,
    placed_ms INTEGER NOT NULL,
    lifted_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX suspension_in_force ON suspension (target) WHERE lifted_ms IS NULL;

-- A set of policies that was proposed; `granted` ones were put in force, and the latest of them stands.
-- The first has no proposer: the set of the node's first start. `files` is JSON, path to text.
CREATE TABLE policy_change (
    seq        INTEGER PRIMARY KEY,
    change     BLOB NOT NULL UNIQUE,
    policy_set BLOB NOT NULL,
    policy     BLOB NOT NULL,
    base       BLOB NOT NULL,
    preview    BLOB NOT NULL,
    agency     TEXT,
    officer    TEXT,
    person     TEXT,
    proposal   TEXT NOT NULL,
    summary    BLOB NOT NULL,
    files      BLOB NOT NULL,
    opened_ms  INTEGER NOT NULL,
    lapses_ms  INTEGER NOT NULL,
    state      TEXT NOT NULL,
    closed_ms  INTEGER
) STRICT;
CREATE INDEX policy_change_by_state ON policy_change (state, closed_ms, seq);

CREATE TABLE policy_statement (
    seq       INTEGER PRIMARY KEY,
    change    BLOB NOT NULL REFERENCES policy_change (change),
    officer   TEXT NOT NULL,
    agency    TEXT NOT NULL,
    person    TEXT NOT NULL,
    verdict   TEXT NOT NULL,
    statement TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    UNIQUE (change, person)
) STRICT;

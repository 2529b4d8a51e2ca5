-- An id that a peer was told was never accepted is kept as well, and then refused. `issuer_digest` is NULL there.
CREATE TABLE inbound_id_2 (
    message       BLOB PRIMARY KEY,
    peer          TEXT NOT NULL,
    release       BLOB NOT NULL,
    issuer_digest BLOB,
    keep_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO inbound_id_2
    SELECT i.message, m.peer, i.release, i.issuer_digest, i.keep_until_ms
    FROM inbound_id i JOIN message m ON m.message = i.message;
DROP TABLE inbound_id;
ALTER TABLE inbound_id_2 RENAME TO inbound_id;
CREATE INDEX inbound_id_by_end ON inbound_id (keep_until_ms);

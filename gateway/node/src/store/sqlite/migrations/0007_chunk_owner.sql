-- A chunk belongs to who put it: `agency:ID` of this country or `peer:CC`. Others neither read nor find it, and the same
-- root put by two is stored twice. `leaf`: its RFC 6962 leaf hash, for the root above; NULL: the chunk is from before.
CREATE TABLE owned_chunk (
    owner      TEXT NOT NULL,
    root       BLOB NOT NULL,
    part       INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    leaf       BLOB,
    sealed     BLOB NOT NULL,
    unnamed_ms INTEGER,
    UNIQUE (owner, root, part)
) STRICT;
-- Which owner's chunks a message names: its sender's.
ALTER TABLE attachment ADD COLUMN owner TEXT NOT NULL DEFAULT '';
UPDATE attachment SET owner = (
    SELECT CASE direction WHEN 0 THEN 'agency:' || agency ELSE 'peer:' || peer END
    FROM message WHERE message.seq = attachment.seq
);
-- Of earlier chunks those are kept that a message names.
INSERT INTO owned_chunk (owner, root, part, bytes, sealed, unnamed_ms)
    SELECT DISTINCT a.owner, c.root, c.part, length(c.sealed), c.sealed, c.unnamed_ms
    FROM chunk c JOIN attachment a ON a.root = c.root;
DROP TABLE chunk;
ALTER TABLE owned_chunk RENAME TO chunk;
CREATE INDEX chunk_unnamed ON chunk (unnamed_ms) WHERE unnamed_ms IS NOT NULL;
-- What an owner has put that no message names yet, for its quota.
CREATE INDEX chunk_unnamed_by_owner ON chunk (owner, bytes) WHERE unnamed_ms IS NOT NULL;

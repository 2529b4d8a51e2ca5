-- Children's cases: which messages are steps of which transfer, and what each transfer's side was told.

-- The offer's message id, and what the step says beside its type (sealed).
ALTER TABLE message ADD COLUMN transfer BLOB;
ALTER TABLE message ADD COLUMN step BLOB;
CREATE INDEX message_by_transfer ON message (transfer, seq) WHERE transfer IS NOT NULL;

-- `look_ms`: when there may be something to tell. `clock_ms`: what runs out, or ran out, first. `sealed`: what was told.
CREATE TABLE transfer (
    seq      INTEGER PRIMARY KEY,
    transfer BLOB NOT NULL UNIQUE,
    case_id  BLOB NOT NULL,
    revision INTEGER NOT NULL,
    look_ms  INTEGER,
    clock_ms INTEGER,
    sealed   BLOB
) STRICT;
CREATE INDEX transfer_by_case ON transfer (case_id, seq);
CREATE INDEX transfer_by_look ON transfer (look_ms) WHERE look_ms IS NOT NULL;
CREATE INDEX transfer_by_clock ON transfer (clock_ms, seq) WHERE clock_ms IS NOT NULL;

-- Kept by triggers, so that no step comes, goes or fails unseen. Its thread is that of the offer, once that is here.
CREATE TRIGGER step_comes AFTER INSERT ON message WHEN NEW.transfer IS NOT NULL BEGIN
    INSERT INTO transfer (transfer, case_id, revision, look_ms)
    VALUES (NEW.transfer, NEW.case_id, 0, NEW.created_ms)
    ON CONFLICT (transfer) DO UPDATE SET revision = revision + 1, look_ms = NEW.created_ms,
        case_id = CASE WHEN NEW.message = NEW.transfer THEN NEW.case_id ELSE case_id END;
END;
CREATE TRIGGER step_changes AFTER UPDATE OF state ON message WHEN NEW.transfer IS NOT NULL BEGIN
    UPDATE transfer SET revision = revision + 1, look_ms = 0 WHERE transfer = NEW.transfer;
END;
CREATE TRIGGER step_goes AFTER DELETE ON message WHEN OLD.transfer IS NOT NULL BEGIN
    DELETE FROM transfer WHERE transfer = OLD.transfer
        AND NOT EXISTS (SELECT 1 FROM message WHERE transfer = OLD.transfer);
END;

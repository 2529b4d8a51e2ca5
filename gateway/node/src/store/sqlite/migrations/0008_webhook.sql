-- Webhooks and what they did not take. What a webhook is owed has no rows: it is the events after its cursor.

-- `sealed` is where it calls and how far it is: an address may hold a secret of its receiver.
CREATE TABLE webhook (
    webhook    BLOB PRIMARY KEY,
    revision   INTEGER NOT NULL,
    agency     TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    sealed     BLOB NOT NULL
) STRICT;

CREATE TABLE dead_letter (
    seq     INTEGER PRIMARY KEY,
    webhook BLOB NOT NULL REFERENCES webhook (webhook),
    event   INTEGER NOT NULL,
    code    TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    resend  INTEGER NOT NULL,
    UNIQUE (webhook, event)
) STRICT;
CREATE INDEX dead_letter_to_resend ON dead_letter (webhook, seq) WHERE resend = 1;

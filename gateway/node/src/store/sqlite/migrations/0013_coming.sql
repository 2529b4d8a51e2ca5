-- The operations that people are coming with, latest first: only what came in has one.
CREATE INDEX message_by_coming ON message (created_ms) WHERE operation IS NOT NULL AND direction = 1;

-- Connections: until when nobody else reads what a service says of itself.
ALTER TABLE connections ADD COLUMN IF NOT EXISTS sync_rests_until DATETIME(6) NULL AFTER sync_due_at;

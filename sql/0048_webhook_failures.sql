-- Webhooks: when the last attempt failed, to the minute, so that two failures with nothing in between are not taken for
-- days of them.
ALTER TABLE webhooks
    ADD COLUMN IF NOT EXISTS failed_at DATETIME(6) NULL AFTER failing_since;

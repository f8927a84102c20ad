-- Webhooks: the ordering key of a delivery while somebody holds it, so that no other of its key goes meanwhile, whichever
-- came first; and whether it was made due by somebody who wants it sent.
ALTER TABLE deliveries
    ADD COLUMN IF NOT EXISTS held_hash BINARY(16)
        AS (IF(state = 'waiting' AND lease_token IS NOT NULL, ordering_hash, NULL)) PERSISTENT,
    ADD COLUMN IF NOT EXISTS is_manual TINYINT NOT NULL DEFAULT 0 AFTER tries,
    ADD KEY IF NOT EXISTS held (webhook_id, held_hash);

-- Webhooks: one event on its way to one webhook. A delivery that is being sent waits as well, until its lease has ended,
-- so that whoever dies with it in hand leaves nothing to be tidied up. `waiting_hash` is the ordering key while it waits; each
-- without a key has one of its own. Not parted by day: each pair is there once whatever the day, and what waits outlives any
-- day. Forgotten with its event, a few hundred at a time.
CREATE TABLE IF NOT EXISTS deliveries (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    webhook_id BINARY(16) NOT NULL,
    event_id BINARY(16) NOT NULL,
    sequence BIGINT UNSIGNED NOT NULL,
    type VARCHAR(128) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    ordering_hash BINARY(16) NULL,
    waiting_hash BINARY(16) AS (IF(state = 'waiting', ordering_hash, NULL)) PERSISTENT,
    state ENUM('waiting', 'delivered', 'failed', 'canceled') NOT NULL DEFAULT 'waiting',
    attempts INT UNSIGNED NOT NULL DEFAULT 0,
    tries INT UNSIGNED NOT NULL DEFAULT 0,
    next_at DATETIME(6) NOT NULL,
    lease_token BINARY(16) NULL,
    last_status SMALLINT UNSIGNED NULL,
    last_error VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    created_at DATETIME(6) NOT NULL,
    finished_at DATETIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY pair (event_id, webhook_id),
    KEY due (state, webhook_id, next_at),
    KEY list (webhook_id, id),
    KEY by_state (webhook_id, state, id),
    KEY by_type (webhook_id, type, state, id),
    KEY in_order (webhook_id, waiting_hash, sequence)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

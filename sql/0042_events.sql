-- Webhooks: what happened, as it is sent, sealed. `event_key` is the sender's own id, by which a repetition is known.
-- `sequence` is the order in which events were taken, for receivers that want theirs in order. Not parted by day: a key is
-- known whatever the day, and an event stays for as long as anything of it waits. Forgotten with its deliveries, in one
-- transaction, so that no delivery is ever without its event.
CREATE TABLE IF NOT EXISTS events (
    id BINARY(16) NOT NULL,
    sequence BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    organization_id BINARY(16) NOT NULL,
    event_key VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
    fingerprint BINARY(32) NOT NULL,
    type VARCHAR(128) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    source ENUM('api', 'hub', 'inbound', 'test') NOT NULL,
    ordering_key VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL,
    body_sealed MEDIUMBLOB NOT NULL,
    body_bytes INT UNSIGNED NOT NULL,
    deliveries INT UNSIGNED NOT NULL,
    occurred_at DATETIME(6) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY sequence (sequence),
    UNIQUE KEY repetition (organization_id, event_key),
    KEY list (organization_id, id),
    KEY by_type (organization_id, type, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

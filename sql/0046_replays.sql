-- Webhooks: sending again what matches, many at a time, and how far that is.
CREATE TABLE IF NOT EXISTS replays (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    webhook_id BINARY(16) NOT NULL,
    asked_by VARCHAR(254) NOT NULL,
    since DATETIME(6) NOT NULL,
    until DATETIME(6) NOT NULL,
    delivery_state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    pattern VARCHAR(140) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    total INT UNSIGNED NOT NULL,
    done INT UNSIGNED NOT NULL DEFAULT 0,
    last_id BINARY(16) NULL,
    state ENUM('running', 'finished', 'canceled') NOT NULL DEFAULT 'running',
    created_at DATETIME(6) NOT NULL,
    finished_at DATETIME(6) NULL,
    PRIMARY KEY (id),
    KEY list (webhook_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

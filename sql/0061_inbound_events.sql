-- Inbound: what services have told, as it came, sealed: header fields and body. `event_key` is the service's own id: the same one
-- again is the same event, and only counted. An event is due while `next_at` is set; whoever works on it moves that on and writes a
-- lease, so that what a dead worker held is due again. What failed too often waits for a person as `dead`.
CREATE TABLE IF NOT EXISTS inbound_events (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    source_id BINARY(16) NOT NULL,
    provider VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    connection_id BINARY(16) NULL,
    integration_id BINARY(16) NULL,
    workspace_id BINARY(16) NULL,
    event_key VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    type VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    scheme VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    known_by VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    body_bytes INT UNSIGNED NOT NULL,
    parts SMALLINT UNSIGNED NOT NULL,
    content_sealed MEDIUMBLOB NOT NULL,
    state ENUM('waiting', 'published', 'dead') NOT NULL,
    attempts SMALLINT UNSIGNED NOT NULL DEFAULT 0,
    next_at DATETIME(6) NULL,
    lease_token BINARY(16) NULL,
    last_error VARCHAR(500) NULL,
    times INT UNSIGNED NOT NULL DEFAULT 1,
    replays INT UNSIGNED NOT NULL DEFAULT 0,
    received_at DATETIME(6) NOT NULL,
    published_at DATETIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY repetition (source_id, event_key),
    KEY due (next_at),
    KEY list (organization_id, id),
    KEY by_source (source_id, id),
    KEY dead (organization_id, state, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

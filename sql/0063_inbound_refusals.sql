-- Inbound: the latest requests of each source that were refused, sealed, so that somebody can see why.
CREATE TABLE IF NOT EXISTS inbound_refusals (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    source_id BINARY(16) NOT NULL,
    reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    detail VARCHAR(300) NOT NULL,
    remote_address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    body_bytes INT UNSIGNED NOT NULL,
    is_whole TINYINT NOT NULL,
    content_sealed MEDIUMBLOB NOT NULL,
    received_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    KEY by_source (source_id, id),
    KEY age (received_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

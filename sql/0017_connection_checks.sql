-- Connection checks: how each connection has fared lately, one row for each time that its service was asked.
CREATE TABLE IF NOT EXISTS connection_checks (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    connection_id BINARY(16) NOT NULL,
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    is_success TINYINT NOT NULL,
    checked_at DATETIME(6) NOT NULL,
    duration_ms INT UNSIGNED NOT NULL,
    detail VARCHAR(500) NULL,
    PRIMARY KEY (id),
    KEY history (connection_id, id),
    KEY age (checked_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

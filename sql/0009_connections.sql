-- Connections: one service that an organization is signed in to.
-- `place` makes the name unique among living connections of a workspace, and of no workspace too, where NULLs would not.
CREATE TABLE IF NOT EXISTS connections (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    workspace_id BINARY(16) NULL,
    provider VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    status_detail VARCHAR(500) NULL,
    status_changed_at DATETIME(6) NOT NULL,
    enabled TINYINT NOT NULL DEFAULT 1,
    setup LONGTEXT NOT NULL,
    secrets_sealed VARBINARY(60000) NULL,
    metadata LONGTEXT NOT NULL,
    tested_at DATETIME(6) NULL,
    test_duration_ms INT UNSIGNED NULL,
    test_rests_until DATETIME(6) NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_by VARCHAR(254) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    removed_at DATETIME(6) NULL,
    place BINARY(16) AS (IF(removed_at IS NULL, IFNULL(workspace_id, 0x00000000000000000000000000000000), NULL)) PERSISTENT,
    PRIMARY KEY (id),
    UNIQUE KEY name (organization_id, place, provider, name),
    KEY list (organization_id, removed_at, id),
    KEY removal (removed_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

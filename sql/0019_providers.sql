-- Connections: services that an organization described for itself; each source is a provider file.
CREATE TABLE IF NOT EXISTS providers (
    organization_id BINARY(16) NOT NULL,
    provider VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    source MEDIUMTEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_by VARCHAR(254) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (organization_id, provider)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

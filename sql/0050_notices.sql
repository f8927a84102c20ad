-- Accounts: over which connection an organization is told by e-mail of what needs somebody, and to whom; addresses between spaces.
CREATE TABLE IF NOT EXISTS notices (
    organization_id BINARY(16) NOT NULL,
    connection_id BINARY(16) NULL,
    addresses VARCHAR(2600) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (organization_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

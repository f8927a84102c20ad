-- Rows of former systems that were taken over: read again, they change nothing unless they have changed themselves.
-- `source_hash` is the digest of the former system's kind and the row's name there; what the row held is kept sealed, as a
-- digest, since it held secrets.
CREATE TABLE IF NOT EXISTS legacy_imports (
    organization_id BINARY(16) NOT NULL,
    source_hash BINARY(32) NOT NULL,
    connection_id BINARY(16) NOT NULL,
    digest_sealed VARBINARY(200) NOT NULL,
    imported_at DATETIME(6) NOT NULL,
    PRIMARY KEY (organization_id, source_hash),
    KEY connection (connection_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

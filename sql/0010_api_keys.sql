-- APIKeys: a credential of a script. Only the SHA-256 of the key is kept. A key belongs to a user, or descends from one
-- that was made at the command line (issuer_id), or was made there itself (neither).
CREATE TABLE IF NOT EXISTS api_keys (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    user_id BINARY(16) NULL,
    issuer_id BINARY(16) NULL,
    name VARCHAR(100) NOT NULL,
    prefix VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    last_four CHAR(4) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    key_hash BINARY(32) NOT NULL,
    scopes TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    expires_at DATETIME(6) NULL,
    revoked_at DATETIME(6) NULL,
    last_used_at DATETIME(6) NULL,
    last_used_address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY key_hash (key_hash),
    KEY list (organization_id, id),
    KEY owner (user_id, revoked_at),
    KEY issuer (issuer_id, revoked_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

-- Accounts: a signed-in browser. Only the SHA-256 of its cookie is kept.
CREATE TABLE IF NOT EXISTS sessions (
    id BINARY(16) NOT NULL,
    token_hash BINARY(32) NOT NULL,
    user_id BINARY(16) NOT NULL,
    organization_id BINARY(16) NULL,
    remote_address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    user_agent VARCHAR(255) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    last_seen_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY token (token_hash),
    KEY user (user_id, last_seen_at),
    KEY expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

-- Accounts: the one-time link by which the first owner is made. Only the SHA-256 of its token is kept.
CREATE TABLE IF NOT EXISTS set_up_links (
    token_hash BINARY(32) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (token_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

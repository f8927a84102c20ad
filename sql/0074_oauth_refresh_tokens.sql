-- OAuthServer: refresh tokens, each good for one use (RFC 9700 §4.14.2). A used one keeps the ids of the pair that it gave:
-- the pair itself is made of the used token and a key of the key ring again, so that no dump holds it.
CREATE TABLE IF NOT EXISTS oauth_refresh_tokens (
    id BINARY(16) NOT NULL,
    grant_id BINARY(16) NOT NULL,
    token_hash BINARY(32) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    used_at DATETIME(6) NULL,
    next_refresh_id BINARY(16) NULL,
    next_access_id BINARY(16) NULL,
    PRIMARY KEY (id),
    KEY grant_tokens (grant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

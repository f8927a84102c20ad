-- OAuthServer: authorization codes (RFC 6749 §4.1.2). A code's text names its id, so that it is found by one read; only its
-- SHA-256 is kept. `grant_id` says what a redeemed one gave, for the day on which it comes a second time.
CREATE TABLE IF NOT EXISTS oauth_codes (
    id BINARY(16) NOT NULL,
    code_hash BINARY(32) NOT NULL,
    app_id BINARY(16) NOT NULL,
    user_id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    redirect_uri VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    challenge CHAR(43) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    scopes TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    resources TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    redeemed_at DATETIME(6) NULL,
    grant_id BINARY(16) NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

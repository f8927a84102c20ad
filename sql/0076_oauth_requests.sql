-- OAuthServer: authorization requests on their way: those that a client has pushed (RFC 9126), and those that wait for a
-- person to sign in and consent. Kept under the SHA-256 of a random name, taken out once.
CREATE TABLE IF NOT EXISTS oauth_requests (
    name_hash BINARY(32) NOT NULL,
    kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    app_id BINARY(16) NOT NULL,
    parameters TEXT NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (name_hash),
    KEY expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

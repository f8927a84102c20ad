-- OAuthServer: access tokens. The id begins with its time and stands in the token's text, so that rows are added at the end,
-- found by the primary key and purged from the beginning, however many there are. `grant_id` is NULL for what an app got for
-- itself. What is revoked is removed.
CREATE TABLE IF NOT EXISTS oauth_access_tokens (
    id BINARY(16) NOT NULL,
    app_id BINARY(16) NOT NULL,
    grant_id BINARY(16) NULL,
    token_hash BINARY(32) NOT NULL,
    scopes TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    resources TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    KEY app (app_id, grant_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

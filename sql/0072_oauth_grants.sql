-- OAuthServer: what a person has let an app do in one organization, from one sign-in: the family of all tokens that follow
-- from it. A token counts only while its grant does. `expires_at` is the end that no refresh can put off.
CREATE TABLE IF NOT EXISTS oauth_grants (
    id BINARY(16) NOT NULL,
    app_id BINARY(16) NOT NULL,
    user_id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    scopes TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    resources TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    last_used_at DATETIME(6) NULL,
    last_used_address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    revoked_at DATETIME(6) NULL,
    revoked_because VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    PRIMARY KEY (id),
    KEY app (app_id, revoked_at, id),
    KEY person (user_id, app_id, organization_id),
    KEY ending (expires_at),
    KEY revoked (revoked_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

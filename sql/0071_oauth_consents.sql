-- OAuthServer: what a person allowed an app to do in one organization. It is remembered until the person takes it back, so that
-- the app need not ask again for the same.
CREATE TABLE IF NOT EXISTS oauth_consents (
    id BINARY(16) NOT NULL,
    user_id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    app_id BINARY(16) NOT NULL,
    scopes TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY one_for_each (user_id, organization_id, app_id),
    KEY app (app_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

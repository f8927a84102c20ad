-- OAuthServer: sign-ins of devices without a browser (RFC 8628): the device polls with the device code, whose text names the
-- id, while a person types the user code elsewhere. Only digests of both are kept.
CREATE TABLE IF NOT EXISTS oauth_device_codes (
    id BINARY(16) NOT NULL,
    code_hash BINARY(32) NOT NULL,
    user_code_hash BINARY(32) NOT NULL,
    app_id BINARY(16) NOT NULL,
    scopes TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    resources TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    interval_seconds SMALLINT UNSIGNED NOT NULL,
    polled_at DATETIME(6) NULL,
    user_id BINARY(16) NULL,
    organization_id BINARY(16) NULL,
    approved_at DATETIME(6) NULL,
    denied_at DATETIME(6) NULL,
    redeemed_at DATETIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY user_code (user_code_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

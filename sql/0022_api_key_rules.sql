-- APIKeys: what a key is limited to besides its scopes. `allowed_ips` holds networks as `address/length`, separated by
-- spaces; empty means any. `expiry_noticed` is the least number of days before its end at which its end was told.
ALTER TABLE api_keys
    ADD COLUMN IF NOT EXISTS requests_per_minute INT UNSIGNED NOT NULL DEFAULT 60 AFTER scopes,
    ADD COLUMN IF NOT EXISTS requests_per_hour INT UNSIGNED NOT NULL DEFAULT 1000 AFTER requests_per_minute,
    ADD COLUMN IF NOT EXISTS requests_per_day INT UNSIGNED NOT NULL DEFAULT 10000 AFTER requests_per_hour,
    ADD COLUMN IF NOT EXISTS allowed_ips TEXT CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL DEFAULT ''
        AFTER requests_per_day,
    ADD COLUMN IF NOT EXISTS metadata TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL
        CHECK (metadata IS NULL OR JSON_VALID(metadata)) AFTER allowed_ips,
    ADD COLUMN IF NOT EXISTS disabled_at DATETIME(6) NULL AFTER expires_at,
    ADD COLUMN IF NOT EXISTS expiry_noticed SMALLINT UNSIGNED NULL AFTER last_used_address,
    ADD COLUMN IF NOT EXISTS unused_noticed_at DATETIME(6) NULL AFTER expiry_noticed,
    ADD KEY IF NOT EXISTS ending (revoked_at, expires_at);

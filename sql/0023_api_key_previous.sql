-- APIKeys: the secret before the last roll, which opens as much as the present one until `previous_ends_at`.
ALTER TABLE api_keys
    ADD COLUMN IF NOT EXISTS previous_hash BINARY(32) NULL AFTER key_hash,
    ADD COLUMN IF NOT EXISTS previous_prefix VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL
        AFTER previous_hash,
    ADD COLUMN IF NOT EXISTS previous_last_four CHAR(4) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL
        AFTER previous_prefix,
    ADD COLUMN IF NOT EXISTS previous_ends_at DATETIME(6) NULL AFTER previous_last_four,
    ADD UNIQUE KEY IF NOT EXISTS previous_hash (previous_hash);

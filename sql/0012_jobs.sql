-- Jobs: work to be done once; a worker claims it by committing a lease into its row.
CREATE TABLE IF NOT EXISTS jobs (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    kind         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    payload      TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    unique_key   VARCHAR(190) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    state        ENUM('waiting', 'running', 'parked') CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    run_at       DATETIME(6) NOT NULL,
    lease_until  DATETIME(6) NULL,
    lease_token  BINARY(16) NULL,
    attempts     SMALLINT UNSIGNED NOT NULL DEFAULT 0,
    max_attempts SMALLINT UNSIGNED NOT NULL,
    last_error   VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NULL,
    created_at   DATETIME(6) NOT NULL,
    UNIQUE KEY unique_key (unique_key),
    KEY due (state, run_at, id),
    CONSTRAINT payload_is_json CHECK (JSON_VALID(payload))
) ENGINE = InnoDB;

-- Domain: the answer that a POST with an Idempotency-Key gave, sealed, for 24 hours.
CREATE TABLE IF NOT EXISTS idempotent_answers (
    caller BINARY(32) NOT NULL,
    fingerprint BINARY(32) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    status SMALLINT UNSIGNED NULL,
    answer_sealed MEDIUMBLOB NULL,
    created_at DATETIME(6) NOT NULL,
    PRIMARY KEY (caller),
    KEY age (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

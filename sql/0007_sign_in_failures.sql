-- Accounts: failed sign-ins, counted per account and per address; the subject is a digest, so that it tells nothing.
CREATE TABLE IF NOT EXISTS sign_in_failures (
    subject BINARY(32) NOT NULL,
    failures INT UNSIGNED NOT NULL,
    last_failed_at DATETIME(6) NOT NULL,
    PRIMARY KEY (subject),
    KEY age (last_failed_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

-- RequestLogs: requests counted by the day, in the transaction that logs them. A row counts the requests of a subject (a key,
-- an app or a person; all zeros for the whole organization), as they are broken down (0: all together, 1: by subject,
-- 2: by endpoint) by a label. `latency` holds histograms one after the other, and is kept for 0 alone. Old ones are deleted a few at a time.
CREATE TABLE IF NOT EXISTS usage_days (
    organization_id BINARY(16) NOT NULL,
    subject BINARY(16) NOT NULL,
    breakdown TINYINT UNSIGNED NOT NULL,
    at DATETIME NOT NULL,
    label VARCHAR(180) NOT NULL,
    hundred TINYINT UNSIGNED NOT NULL,
    requests BIGINT UNSIGNED NOT NULL,
    microseconds BIGINT UNSIGNED NOT NULL,
    bytes BIGINT UNSIGNED NOT NULL,
    latency MEDIUMBLOB NOT NULL,
    PRIMARY KEY (organization_id, subject, breakdown, at, label, hundred),
    KEY age (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

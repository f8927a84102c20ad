-- RequestLogs: requests counted by the hour, in the transaction that logs them. A row counts the requests of a subject (a key,
-- an app or a person; all zeros for the whole organization), as they are broken down (0: all together, 1: by subject,
-- 2: by endpoint) by a label. `latency` holds histograms one after the other, and is kept for 0 alone. Parted by day, as the log is.
CREATE TABLE IF NOT EXISTS usage_hours (
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
    PRIMARY KEY (organization_id, subject, breakdown, at, label, hundred)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  PARTITION BY RANGE COLUMNS (at) (PARTITION future VALUES LESS THAN (MAXVALUE));

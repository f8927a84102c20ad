-- Webhooks: attempts counted by the hour, in the transaction that notes them. `latency` holds histograms one after the other,
-- summed up when they have grown; a day or a month is the sum of its hours. Old ones are deleted a few at a time.
CREATE TABLE IF NOT EXISTS webhook_hours (
    webhook_id BINARY(16) NOT NULL,
    at DATETIME NOT NULL,
    attempts BIGINT UNSIGNED NOT NULL,
    delivered BIGINT UNSIGNED NOT NULL,
    microseconds BIGINT UNSIGNED NOT NULL,
    latency MEDIUMBLOB NOT NULL,
    PRIMARY KEY (webhook_id, at),
    KEY age (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

-- Webhooks: each time that a delivery was sent, what was said on both sides, sealed, and how long each part of it took.
-- Nothing refers to an attempt and these are most of the bytes, so they are parted by day of `started_at`: days are made ahead and
-- dropped by a job, and `future` takes what lies beyond the last one.
CREATE TABLE IF NOT EXISTS delivery_attempts (
    delivery_id BINARY(16) NOT NULL,
    number INT UNSIGNED NOT NULL,
    organization_id BINARY(16) NOT NULL,
    webhook_id BINARY(16) NOT NULL,
    cause ENUM('schedule', 'manual', 'replay', 'test') NOT NULL,
    started_at DATETIME(6) NOT NULL,
    status SMALLINT UNSIGNED NULL,
    error VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
    dns_us INT UNSIGNED NOT NULL,
    connect_us INT UNSIGNED NOT NULL,
    tls_us INT UNSIGNED NOT NULL,
    first_byte_us INT UNSIGNED NOT NULL,
    total_us INT UNSIGNED NOT NULL,
    talk_sealed MEDIUMBLOB NOT NULL,
    PRIMARY KEY (delivery_id, number, started_at),
    KEY recent (webhook_id, started_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci
  PARTITION BY RANGE COLUMNS (started_at) (PARTITION future VALUES LESS THAN (MAXVALUE));

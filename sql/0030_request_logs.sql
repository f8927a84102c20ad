-- RequestLogs: an answered request of somebody known. The id begins with its time, so the order of ids is the order of time.
-- Parted by day of `at`; days are made ahead and dropped by a job, and `future` takes what lies beyond the last one.
CREATE TABLE IF NOT EXISTS request_logs (
    id BINARY(16) NOT NULL,
    at DATETIME(6) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    surface VARCHAR(8) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    actor_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    actor_id BINARY(16) NULL,
    connection_id BINARY(16) NULL,
    method VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    route VARCHAR(160) NOT NULL,
    path VARCHAR(500) NOT NULL,
    status SMALLINT UNSIGNED NOT NULL,
    is_failed TINYINT AS (status >= 400) PERSISTENT,
    microseconds BIGINT UNSIGNED NOT NULL,
    bytes BIGINT UNSIGNED NOT NULL,
    address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    user_agent VARCHAR(200) NOT NULL,
    request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    code VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    PRIMARY KEY (organization_id, id, at),
    KEY actor (organization_id, actor_id, id),
    KEY connection (organization_id, connection_id, id),
    KEY failed (organization_id, is_failed, id),
    KEY request (organization_id, request_id(8))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin
  PARTITION BY RANGE COLUMNS (at) (PARTITION future VALUES LESS THAN (MAXVALUE));

-- RequestLogs: up to which byte a file of a host's spool stands in the request log. Written in the transaction of the
-- rows, so that a line is taken in once whatever is killed; forgotten with the file.
CREATE TABLE IF NOT EXISTS spool_positions (
    file_id BINARY(16) NOT NULL,
    host_id BINARY(16) NOT NULL,
    name VARCHAR(80) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    position BIGINT UNSIGNED NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (file_id),
    KEY host (host_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

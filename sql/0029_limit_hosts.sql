-- Limits: which hosts count, so that one that is alone writes no counts.
CREATE TABLE IF NOT EXISTS limit_hosts (
    host BINARY(16) NOT NULL,
    seen_at DATETIME(6) NOT NULL,
    PRIMARY KEY (host)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

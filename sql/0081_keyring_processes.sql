-- Domain: which processes run and which master keys each has loaded, so that none is locked out by a rotation.
CREATE TABLE IF NOT EXISTS keyring_processes (
    id BINARY(16) NOT NULL,
    host BINARY(16) NOT NULL,
    host_name VARCHAR(255) NOT NULL,
    process_id INT UNSIGNED NOT NULL,
    master INT UNSIGNED NOT NULL,
    masters VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    seen_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    KEY host (host)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

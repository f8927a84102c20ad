-- Domain: the keys that seal an organization's records, each wrapped by a master key of the key ring.
CREATE TABLE IF NOT EXISTS data_keys (
    organization_id BINARY(16) NOT NULL,
    number INT UNSIGNED NOT NULL,
    wrapped VARBINARY(255) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    PRIMARY KEY (organization_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

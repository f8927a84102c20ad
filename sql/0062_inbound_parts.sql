-- Inbound: bodies too large for one statement, in parts, each sealed by itself.
CREATE TABLE IF NOT EXISTS inbound_parts (
    event_id BINARY(16) NOT NULL,
    number SMALLINT UNSIGNED NOT NULL,
    content_sealed MEDIUMBLOB NOT NULL,
    PRIMARY KEY (event_id, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

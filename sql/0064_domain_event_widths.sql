-- Domain events: names and contents that other services choose are longer than the hub's own.
ALTER TABLE IF EXISTS domain_events
    MODIFY COLUMN IF EXISTS type VARCHAR(128) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    MODIFY COLUMN IF EXISTS data MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;

-- Limits: all that one host counts of one subject, for the other hosts to count too. A row is the whole state, so writing or
-- reading it twice changes nothing; one that has not changed for a day counts nowhere and is removed.
CREATE TABLE IF NOT EXISTS limit_counts (
    subject BINARY(16) NOT NULL,
    host BINARY(16) NOT NULL,
    counts VARBINARY(1024) NOT NULL,
    changed_at DATETIME(6) NOT NULL,
    PRIMARY KEY (subject, host),
    KEY news (changed_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

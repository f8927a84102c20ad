-- Generations: how often what is kept in memory elsewhere was changed; counted in the transaction of each change, so that
-- whoever has seen a number has seen all changes up to it.
CREATE TABLE IF NOT EXISTS generations (
    name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

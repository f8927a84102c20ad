-- Domain events: what happened, written in the transaction in which it happens, for whoever is to be told of it.
-- `handed_on_at` is set by the one who took an event on; ids are not in the order of committing, so nobody reads from a place on.
CREATE TABLE IF NOT EXISTS domain_events (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    type VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    object_id BINARY(16) NULL,
    data TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    occurred_at DATETIME(6) NOT NULL,
    handed_on_at DATETIME(6) NULL,
    PRIMARY KEY (id),
    KEY list (organization_id, id),
    KEY waiting (handed_on_at, id),
    KEY age (occurred_at),
    CONSTRAINT event_is_json CHECK (JSON_VALID(data))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

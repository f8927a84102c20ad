-- Inbound: what services call the events of requests that bring many, by a digest, so that one that comes again in other company
-- is not published again. A row goes with the request that brought it first.
CREATE TABLE IF NOT EXISTS inbound_batch_ids (
    source_id BINARY(16) NOT NULL,
    id_hash BINARY(32) NOT NULL,
    event_id BINARY(16) NOT NULL,
    PRIMARY KEY (source_id, id_hash),
    KEY by_event (event_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

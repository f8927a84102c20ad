-- Audit: who did what to which thing. Written in the transaction of the change, never changed afterwards.
CREATE TABLE IF NOT EXISTS audit_events (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    occurred_at DATETIME(6) NOT NULL,
    actor_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    actor_id BINARY(16) NULL,
    actor_name VARCHAR(254) NOT NULL,
    action VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    object_kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    object_id BINARY(16) NULL,
    object_name VARCHAR(254) NOT NULL,
    details LONGTEXT NOT NULL,
    remote_address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    PRIMARY KEY (id),
    KEY list (organization_id, id),
    KEY object (organization_id, object_id, id),
    KEY actor (organization_id, actor_name, id),
    KEY action (organization_id, action, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

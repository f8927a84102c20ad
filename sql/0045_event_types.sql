-- Webhooks: the types of events that an organization has described; those built in stand in the program.
CREATE TABLE IF NOT EXISTS event_types (
    organization_id BINARY(16) NOT NULL,
    name VARCHAR(128) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    description VARCHAR(500) NOT NULL,
    json_schema TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    example TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    deprecated_at DATETIME(6) NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (organization_id, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

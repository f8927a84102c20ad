-- Accounts: who may do what in which organization.
CREATE TABLE IF NOT EXISTS memberships (
    organization_id BINARY(16) NOT NULL,
    user_id BINARY(16) NOT NULL,
    role VARCHAR(16) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    PRIMARY KEY (organization_id, user_id),
    KEY user (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

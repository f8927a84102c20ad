-- Platforms: which messages passed through a channel, by the platform's own ids, so that each is told once and what the hub
-- sent itself is recognised when it comes back. What was said stands nowhere but in events; here is its digest alone.
CREATE TABLE IF NOT EXISTS channel_messages (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    integration_id BINARY(16) NOT NULL,
    channel_id BINARY(16) NOT NULL,
    direction ENUM('inbound', 'outbound') NOT NULL,
    status ENUM('sending', 'sent', 'failed', 'unknown', 'received') NOT NULL,
    platform_message_id VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    text_digest BINARY(32) NOT NULL,
    error VARCHAR(1000) NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY message (channel_id, platform_message_id),
    KEY echo (channel_id, text_digest),
    KEY cut_off (status, updated_at),
    KEY age (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

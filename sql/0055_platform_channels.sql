-- Platforms: the channels of an integration as its platform named them last, with the settings that people gave them here.
-- `auto_sync_messages` is NULL until somebody says. A channel that the platform no longer has stays, marked, with its settings.
CREATE TABLE IF NOT EXISTS platform_channels (
    id BINARY(16) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    integration_id BINARY(16) NOT NULL,
    platform_channel_id VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    platform_server_id VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    channel_name VARCHAR(250) NOT NULL,
    channel_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    channel_topic VARCHAR(1100) NULL,
    auto_sync_messages TINYINT NULL,
    sync_direction ENUM('inbound', 'outbound', 'both') NULL,
    lvng_conversation_id BINARY(16) NULL,
    vanished_at DATETIME(6) NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY channel (integration_id, platform_channel_id),
    KEY list (integration_id, channel_name, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

-- Platforms: an integration's inbound address, its webhook secret and what its platform signs with are replaced at will, the ones
-- before staying good for a while. Without an address of its own an integration has its id for one, as all had before.
ALTER TABLE IF EXISTS platform_integrations
    ADD COLUMN IF NOT EXISTS address BINARY(16) NULL AFTER platform_name,
    ADD COLUMN IF NOT EXISTS previous_address BINARY(16) NULL AFTER address,
    ADD COLUMN IF NOT EXISTS previous_address_ends_at DATETIME(6) NULL AFTER previous_address,
    ADD COLUMN IF NOT EXISTS previous_webhook_secret_sealed BLOB NULL AFTER webhook_secret_sealed,
    ADD COLUMN IF NOT EXISTS previous_webhook_secret_ends_at DATETIME(6) NULL AFTER previous_webhook_secret_sealed,
    ADD COLUMN IF NOT EXISTS previous_signing_secret_sealed BLOB NULL AFTER previous_webhook_secret_ends_at,
    ADD COLUMN IF NOT EXISTS previous_signing_secret_ends_at DATETIME(6) NULL AFTER previous_signing_secret_sealed,
    ADD UNIQUE KEY IF NOT EXISTS address (address),
    ADD UNIQUE KEY IF NOT EXISTS previous_address (previous_address);

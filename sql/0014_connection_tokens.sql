-- What a service granted to a connection, and when it must be renewed, probed and synced.
-- `tokens_version` moves with each stored pair: whoever refreshes stores only over the version that was read.
-- A refresh is claimed by a lease, committed before the service is called, so that one call is made however many ask.
-- `grant_key` tells connections that share one grant at the service: revoking there would end them all.
ALTER TABLE connections
    ADD COLUMN IF NOT EXISTS tokens_sealed BLOB NULL,
    ADD COLUMN IF NOT EXISTS tokens_version BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS token_expires_at DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS grant_ends_at DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS authorized_at DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS requested_scopes TEXT NULL,
    ADD COLUMN IF NOT EXISTS granted_scopes TEXT NULL,
    ADD COLUMN IF NOT EXISTS grant_key BINARY(32) NULL,
    ADD COLUMN IF NOT EXISTS refresh_due_at DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS refresh_lease BINARY(16) NULL,
    ADD COLUMN IF NOT EXISTS refresh_lease_until DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS refresh_failures INT UNSIGNED NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS refreshed_at DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS probe_due_at DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS sync_due_at DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS synced_at DATETIME(6) NULL,
    ADD COLUMN IF NOT EXISTS sync_failures INT UNSIGNED NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS sync_error VARCHAR(500) NULL,
    ADD KEY IF NOT EXISTS refresh_due (refresh_due_at),
    ADD KEY IF NOT EXISTS probe_due (probe_due_at),
    ADD KEY IF NOT EXISTS sync_due (sync_due_at),
    ADD KEY IF NOT EXISTS shared_grant (organization_id, grant_key);

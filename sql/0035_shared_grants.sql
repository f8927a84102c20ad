-- Connections: who shares a grant is looked for in all organizations, which may have connected one account by the hub's own
-- client. Where nobody says whose a grant is, all of one client count as one: `grant_client` tells them.
ALTER TABLE connections
    ADD COLUMN IF NOT EXISTS grant_client BINARY(32) NULL AFTER grant_key,
    ADD KEY IF NOT EXISTS grant_key (grant_key),
    ADD KEY IF NOT EXISTS grant_client (grant_client);

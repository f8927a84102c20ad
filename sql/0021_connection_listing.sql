-- The order in which connections are listed, `default` before the names that people gave, and what counts those that
-- need somebody: both read from an index, however many connections an organization has.
ALTER TABLE connections
    ADD COLUMN IF NOT EXISTS is_named TINYINT AS (name <> 'default') PERSISTENT,
    ADD KEY IF NOT EXISTS listing (organization_id, removed_at, provider, is_named, name, id),
    ADD KEY IF NOT EXISTS state (organization_id, removed_at, enabled, status);

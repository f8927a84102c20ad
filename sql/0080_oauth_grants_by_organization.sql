-- OAuthServer: an organization looks through what its people let the apps of others do there.
ALTER TABLE oauth_grants ADD INDEX IF NOT EXISTS organization (organization_id, revoked_at, id);

-- OAuthServer: all that an app has got for itself ends at one moment, however many tokens that are: those made until then
-- open nothing, and are purged when their time is over.
ALTER TABLE oauth_apps ADD COLUMN IF NOT EXISTS own_tokens_after DATETIME(6) NULL AFTER previous_ends_at;

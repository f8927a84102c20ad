-- OAuthServer: how an app that registered itself said that it would prove who it is (RFC 7591 §2); NULL for all others.
ALTER TABLE oauth_apps ADD COLUMN IF NOT EXISTS auth_method VARCHAR(24) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL
    AFTER registration_hash;

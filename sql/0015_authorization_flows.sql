-- Sign-ins at a service that are under way: one row per `state`, used once, for ten minutes (RFC 6749 §10.12, RFC 9700 §4.7).
-- Only the digest of `state` is kept. `owner_hash` is that of the browser session that began it, or of the script: no other
-- may end it. `setup_hash` is that of the set-up it began with: a code is never shown to a client or a server put there since.
CREATE TABLE IF NOT EXISTS authorization_flows (
    state_hash BINARY(32) NOT NULL,
    organization_id BINARY(16) NOT NULL,
    connection_id BINARY(16) NOT NULL,
    owner_hash BINARY(32) NOT NULL,
    setup_hash BINARY(32) NOT NULL,
    provider VARCHAR(64) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL,
    redirect_uri VARCHAR(500) NOT NULL,
    return_to VARCHAR(500) NULL,
    requested_scopes TEXT NOT NULL,
    verifier_sealed VARBINARY(500) NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    used_at DATETIME(6) NULL,
    PRIMARY KEY (state_hash),
    KEY expiry (expires_at),
    KEY connection (organization_id, connection_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_nopad_ci;

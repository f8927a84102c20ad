/// What becomes of a key that somebody came with.
///
/// The words are the codes of `POST /api-keys/verify` and of nginx's log of gated requests. A caller who came with a key
/// that is unknown, revoked or expired is told none of these three, but only that the credential is not valid.
public enum KeyVerdict: String, Sendable, CaseIterable {
    /// It opens what was asked for.
    case valid
    /// There is no such key, or not in this organization.
    case notFound = "not_found"
    /// It was revoked, or its secret was replaced.
    case revoked
    /// It has ended by itself.
    case expired
    /// It was put aside for a time, or the user whose key it is was.
    case disabled
    /// It may not be used from this address.
    case ipNotAllowed = "ip_not_allowed"
    /// It does not hold the right, or its user no longer does.
    case insufficientScope = "insufficient_scope"
    /// It has been used too often.
    case rateLimited = "rate_limited"
}

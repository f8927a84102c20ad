import ClientKit

/// How the calls of others are passed on to a service with a connection's credentials.
struct ProviderProxy: Sendable {
    /// How the service is shown who calls.
    enum Authentication: Sendable {
        /// Not at all: the address itself is the secret.
        case none
        /// `Authorization: Bearer` (RFC 6750 §2.1), or with the scheme that the service wants for a token of its own.
        case bearer(HoledText)
        /// A header of the service's own.
        case header(name: HoledText, value: HoledText)
        /// `Authorization: Basic` (RFC 7617).
        case basic(user: HoledText, password: HoledText)
        /// A parameter of the query.
        case query(name: String, value: HoledText)
        /// The beginning of each path: `/bot{bot_token}`.
        case path(HoledText)
        /// Signature Version 4, with the set-up's `access_key_id` and `secret_access_key`.
        case aws
    }

    /// The address to which paths are appended, as provider files write addresses.
    let base: HoledText
    /// The same as it is called, where it has no holes.
    let fixedBase: OutboundURL?
    /// Whether only the origin of that address counts.
    let isOriginOnly: Bool
    /// What is sent unless the caller sends it: the version of an interface, mostly.
    let headers: [(name: String, value: HoledText)]
    /// The ways in which the service is shown who calls; the first whose values are there is taken.
    let authentications: [Authentication]
    /// The headers that say after how many seconds, or when, to try again.
    let retryAfter: [String]
    /// Whether GET is no mere reading: it changes things too, as where every method of an interface may be called by GET, or
    /// hands out credentials.
    let isGetUnsafe: Bool
}

/// How the calls of others are passed on to a service with a connection's credentials.
struct ProviderProxy: Sendable {
    /// How the service is shown who calls.
    enum Authentication: Sendable {
        /// Not at all: the address itself is the secret.
        case none
        /// `Authorization: Bearer` (RFC 6750 §2.1).
        case bearer(HoledText)
        /// A header of the service's own.
        case header(name: String, value: HoledText)
        /// `Authorization: Basic` (RFC 7617).
        case basic(user: HoledText, password: HoledText)
        /// A parameter of the query.
        case query(name: String, value: HoledText)
        /// The beginning of each path: `/bot{bot_token}`.
        case path(HoledText)
        /// Signature Version 4, with the set-up's `access_key_id`, `secret_access_key` and `region`.
        case aws
    }

    /// Where paths are appended: the origin, and perhaps the beginning of a path.
    let base: Base
    /// What is sent unless the caller sends it: the version of an interface, mostly.
    let headers: [(name: String, value: HoledText)]
    let authentication: Authentication
    /// The headers that say after how many seconds, or when, to try again.
    let retryAfter: [String]
    /// Whether GET changes things too, as where every method of an interface may be called by GET.
    let isGetUnsafe: Bool

    /// An address to which paths are appended.
    struct Base: Sendable {
        /// Scheme and host, or one field of the set-up that holds a whole address.
        let origin: HoledText
        /// The path behind it, without a slash at its end.
        let path: HoledText
        /// Whether people themselves say in the set-up which host it is; else it must be one that the file names.
        let isChosen: Bool

        /// The address without its holes filled.
        var text: String { origin.text + path.text }
    }
}

extension Provider {
    /// Whether a call with this service's credentials may go to a host.
    func allows(host: String) -> Bool {
        hosts.contains { allowed in
            allowed.hasPrefix("*.")
                ? host.hasSuffix(allowed.dropFirst()) && host.utf8.count > allowed.utf8.count - 1 : host == allowed
        }
    }
}

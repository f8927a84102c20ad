import CipherKit
import Domain
import HTTPKit
import LimitKit
import LogKit
import TimeKit

/// Finds out which app asks, by `client_secret_basic`, `client_secret_post` or, for public ones, `none`.
///
/// > The client MUST NOT use more than one authentication method in each request.     RFC 6749 §2.3
struct ClientAuthentication: Sendable {
    let limiter: Limiter
    /// How many wrong secrets are answered like the first: of one app, and from one address.
    let guesses: [Quota]

    /// A door at which so many may be wrong in a minute.
    init(limiter: Limiter, guessesPerMinute: Int) {
        self.limiter = limiter
        guesses = [.minute(guessesPerMinute), .hour(10 * guessesPerMinute)]
    }

    /// An app that has said who it is, and proved it where it has a secret.
    struct Client {
        let app: AppRecord
        /// Whether the same proof is good again as long as the app stays as it is: a secret of the last roll ends by itself.
        let isLasting: Bool
    }

    /// The app that sent a request.
    ///
    /// A right secret always counts, whatever others have tried: who knows a client id must not be able to lock its app out.
    ///
    /// - Parameter find: the app of a client id, put aside or not.
    /// - Throws: ``OAuthError`` `invalid_client`, or `invalid_request` where it is not clear who asks.
    func client(
        _ request: Request, _ form: OAuthForm, at now: Timestamp, find: (String) throws -> AppRecord?
    ) throws -> Client {
        let claim = try Claim(request, form)
        guard let app = try find(claim.clientID) else { throw refused(claim, nil, request, at: now) }
        guard app.isConfidential else {
            guard claim.secret == nil else { throw refused(claim, app, request, at: now) }
            return try usable(app, claim, isLasting: false)
        }
        guard let sent = claim.secret, let secret = Self.secret(sent, of: app, at: now) else {
            throw refused(claim, app, request, at: now)
        }
        return try usable(app, claim, isLasting: secret.endsAt == nil)
    }

    /// The only Authorization header of a request whose body says nothing of the client; nil for any other request.
    ///
    /// Who has proved by it who they are proves the same by it again.
    static func header(_ request: Request, _ form: OAuthForm) -> String? {
        let headers = request.headers.all("authorization")
        return headers.count == 1 && form["client_id"] == nil && form["client_secret"] == nil ? headers[0] : nil
    }

    private func usable(_ app: AppRecord, _ claim: Claim, isLasting: Bool) throws(OAuthError) -> Client {
        guard app.isUsable else { throw claim.error("This app is disabled.") }
        return Client(app: app, isLasting: isLasting)
    }

    /// The living secret that somebody sent.
    private static func secret(_ sent: Secret<String>, of app: AppRecord, at now: Timestamp) -> AppSecret? {
        guard let sent = sent.reveal({ ClientSecret($0) }) else { return nil }
        // Each is compared, whichever it is.
        return app.secrets.reduce(nil) { found, secret in
            let isEqual = equalInConstantTime(secret.hash, sent.digest)
            return found ?? (isEqual && (secret.endsAt.map { $0 > now } ?? true) ? secret : nil)
        }
    }

    /// Notes a wrong answer; tells to come back later when there were too many.
    ///
    /// > the authorization server MUST protect any endpoint utilizing it against brute force attacks.     RFC 6749 §2.3.1
    private func refused(
        _ claim: Claim, _ app: AppRecord?, _ request: Request, at now: Timestamp
    ) -> OAuthError {
        let subjects = [
            LimitSubject(address: request.remoteAddress, for: "client-secret"),
            app.map { LimitSubject("client-secret", $0.id.bytes) },
        ].compactMap(\.self)
        let waits = subjects.compactMap { LimitFields.retryAfter(limiter.take(from: guesses, of: $0, at: now)) }
        if let wait = waits.max() {
            return OAuthError(
                .invalidClient, "There were too many wrong secrets. Wait before the next try.", status: 429,
                headers: ["retry-after": "\(wait)"])
        }
        if app?.isConfidential == false {
            return claim.error("This app is public: it has no secret, so send client_id alone.")
        }
        return claim.error(
            claim.secret == nil && app != nil
                ? "This app has a secret. Send it by HTTP Basic or as client_secret."
                : "The client is unknown, or its secret is wrong or has ended.")
    }
}

extension ClientAuthentication {
    /// Who somebody says they are, and by what they would prove it.
    private struct Claim {
        let clientID: String
        let secret: Secret<String>?
        /// Whether the header was used, which the answer then names.
        let isBasic: Bool

        init(_ request: Request, _ form: OAuthForm) throws(OAuthError) {
            let headers = request.headers.all("authorization")
            guard headers.count <= 1 else {
                throw OAuthError(.invalidRequest, "Send the Authorization header once.")
            }
            isBasic = !headers.isEmpty
            guard let header = headers.first else {
                guard let clientID = form["client_id"] else {
                    throw OAuthError(
                        .invalidClient, "Say which client asks: by HTTP Basic, or as client_id in the body.",
                        status: 401, headers: Self.challenge)
                }
                self.clientID = clientID
                secret = form["client_secret"].map { Secret($0) }
                return
            }
            guard form["client_secret"] == nil else {
                throw OAuthError(.invalidRequest, "Send the secret once: by HTTP Basic, or in the body.")
            }
            guard let (id, secret) = Self.basic(header) else {
                throw OAuthError(
                    .invalidClient, "The Authorization header is not that of HTTP Basic with client id and secret.",
                    status: 401, headers: Self.challenge)
            }
            guard form["client_id"].map({ $0 == id }) ?? true else {
                throw OAuthError(.invalidRequest, "The client_id in the body is not that of the Authorization header.")
            }
            clientID = id
            self.secret = Secret(secret)
        }

        /// > If the client attempted to authenticate via the "Authorization" request header field, the authorization server
        /// > MUST respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header
        /// > field matching the authentication scheme used by the client.     RFC 6749 §5.2
        func error(_ hint: String) -> OAuthError {
            OAuthError(.invalidClient, hint, status: 401, headers: isBasic ? Self.challenge : [:])
        }

        private static let challenge: Headers = ["www-authenticate": "Basic realm=\"hub\", charset=\"UTF-8\""]

        /// > The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm … and the
        /// > encoded value is used as the username; the client secret is encoded using the same algorithm and used as the
        /// > password.     RFC 6749 §2.3.1
        private static func basic(_ header: String) -> (id: String, secret: String)? {
            guard let space = header.utf8.firstIndex(of: UInt8(ascii: " ")), header[..<space].lowercased() == "basic",
                let bytes = Base64.decode(String(Substring(header[space...].utf8.drop { $0 == UInt8(ascii: " ") }))),
                let text = String(validating: bytes, as: UTF8.self),
                let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
                let id = Percent.decode(text[..<colon], plusIsSpace: true),
                let secret = Percent.decode(text[text.utf8.index(after: colon)...], plusIsSpace: true)
            else { return nil }
            return (id, secret)
        }
    }
}

import Domain
import JSONKit
import LogKit
import TimeKit

/// What a service granted: kept sealed, never printed.
struct Tokens: Sendable {
    /// What calls carry.
    let access: Secret<String>
    /// What gives the next access token (RFC 6749 §1.5); nil where the service gives none.
    let refresh: Secret<String>?
    /// The refresh token before that, kept until the new one was used once: an answer that was lost on its way may have
    /// ended neither.
    let previousRefresh: Secret<String>?
    /// `bearer` nearly everywhere.
    let type: String

    init(access: String, refresh: String?, previousRefresh: String? = nil, type: String = "bearer") {
        self.access = Secret(access)
        self.refresh = refresh.map { Secret($0) }
        self.previousRefresh = previousRefresh.map { Secret($0) }
        self.type = type
    }

    /// Reads sealed tokens back.
    init(bytes: [UInt8]) throws {
        let json = try JSON(parsing: bytes)
        self.init(
            access: json["access"]?.text ?? "", refresh: json["refresh"]?.text,
            previousRefresh: json["previous_refresh"]?.text, type: json["type"]?.text ?? "bearer")
    }

    /// What is sealed.
    var bytes: [UInt8] {
        let members: [(String, Secret<String>?)] = [
            ("access", access), ("refresh", refresh), ("previous_refresh", previousRefresh),
        ]
        var object = members.compactMap { name, secret in
            secret.map { $0.reveal { JSON.Member(name, .string($0)) } }
        }
        object.append(JSON.Member("type", .string(type)))
        return JSON.object(object).bytes
    }

    /// Tokens after a renewal.
    ///
    /// An answer without a refresh token leaves the one that was used (RFC 6749 §6). One that has another keeps the used
    /// one too, until the new one has been used in its turn: the service may not have noticed that we have it.
    init(_ answer: TokenAnswer, over old: Tokens, with used: Secret<String>?) {
        let isNew = answer.refresh.map { new in used.map { new.reveal { $0 } != $0.reveal { $0 } } ?? true } ?? false
        access = answer.access
        refresh = isNew ? answer.refresh : used
        previousRefresh = isNew ? used : nil
        type = answer.type
    }

    /// Where the tokens of a connection stand.
    static func place(_ id: Identifier<Connection>) -> Vault.Place {
        Vault.Place("connections", id, "tokens_sealed")
    }
}

/// What the database says of a grant without opening it.
struct Grant: Sendable {
    /// Moves with each stored pair of tokens.
    let version: Int64
    let sealed: [UInt8]?
    let expiresAt: Timestamp?
    /// When the grant itself ends, unless it is renewed or a person signs in again.
    let endsAt: Timestamp?
    /// When a person signed in.
    let authorizedAt: Timestamp?
    let requestedScopes: [String]
    /// Nil when the service did not say.
    let grantedScopes: [String]?
    let refreshedAt: Timestamp?
    /// When the tokens are renewed, or after failures when the next attempt is made; nil for never.
    let refreshDueAt: Timestamp?
    /// How many attempts have failed since the last one that did not.
    let refreshFailures: Int

    /// No grant.
    static let none = Grant(
        version: 0, sealed: nil, expiresAt: nil, endsAt: nil, authorizedAt: nil, requestedScopes: [],
        grantedScopes: nil, refreshedAt: nil, refreshDueAt: nil, refreshFailures: 0)

    /// Whether the access token has not ended, as far as is known.
    func isValid(at now: Timestamp) -> Bool { expiresAt.map { $0 > now } ?? true }

    /// Whether the access token ends so soon that nobody should be given it (A2-21).
    func isEnding(at now: Timestamp) -> Bool {
        guard let expiresAt else { return false }
        let lifetime = (refreshedAt ?? authorizedAt).map { expiresAt - $0 } ?? .hours(1)
        return now >= expiresAt - GrantTimes.margin(of: lifetime)
    }

    /// Whether the service is left in peace after a failed renewal.
    func isBackingOff(at now: Timestamp) -> Bool { refreshFailures > 0 && refreshDueAt.map { $0 > now } ?? false }
}

import AddressKit
import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import LimitKit
import Synchronization
import ThreadKit
import TimeKit

/// A key with everything that is asked of it, as the database had it at one moment.
///
/// It is looked up once and asked many times, so whatever can be made ready beforehand is.
final class ResolvedKey: Sendable {
    let id: Identifier<APIKey>
    let name: String
    let organization: Identifier<Organization>
    /// As whom the house knows it.
    let principal: Principal
    /// The limits that it counts against, and under what it is counted.
    let quotas: [Quota]
    let subject: LimitSubject
    /// The value of `RateLimit-Policy`.
    let policy: String
    /// The same for the gate.
    let tally: GateTally
    /// The header lines by which a site learns whose key it is, each with its line break.
    let lines: [UInt8]
    /// What everything was read under (`SharedGeneration`).
    let generation: UInt64

    private let scopes: [Scope]
    /// The role of its user now; nil when the user is put aside or no longer belongs to the organization.
    private let role: Role?
    private let networks: [Network]
    private let expiresAt: Timestamp?
    private let isRevoked: Bool
    private let isDisabled: Bool
    /// Rights that were asked for lately, since a site asks for the same few again and again.
    private let asked = Lock<[(right: String, isHeld: Bool)]>([])
    private let noted = Atomic<Int64>(.min)

    /// Reads a row of ``KeyReader``.
    init(_ row: Row, generation: UInt64) throws {
        let stored: String = try row.get("scopes")
        id = try row.get("id")
        name = try row.get("name")
        organization = try row.get("organization_id")
        scopes = Scope.list(stored: stored)
        networks = Network.list(stored: try row.get("allowed_ips"))
        role = try Self.role(row)
        isRevoked = try row.get("revoked_at", as: Timestamp?.self) != nil
        isDisabled = try row.get("disabled_at", as: Timestamp?.self) != nil
        let end: Timestamp? = try row.get("expires_at")
        // The secret before the last roll ends with its grace, and never later than the key.
        let previousEnd: Timestamp? = try row.get("secret_ends_at")
        expiresAt = [end, previousEnd].compactMap(\.self).min()
        quotas = [
            .minute(try row.get("requests_per_minute")), .hour(try row.get("requests_per_hour")),
            .day(try row.get("requests_per_day")),
        ]
        subject = LimitSubject("api-key", id.bytes)
        policy = LimitFields.policy(quotas) ?? ""
        tally = GateTally(quotas)
        self.generation = generation
        let membership = Principal.Membership(
            organization: organization, name: try row.get("organization"), role: role ?? .support)
        principal = Principal(
            actor: Actor(kind: .apiKey, id: id.bytes, name: name), memberships: [membership], limits: scopes)
        lines = Array(
            """
            X-Hub-Key-Id: \(id)\r
            X-Hub-Org-Id: \(organization)\r
            X-Hub-Scopes: \(scopes.stored)\r

            """.utf8)
    }

    /// The role that the key's scopes are cut down to: that which its user has at this moment.
    ///
    /// A key without a user was made at the server, whose keeper may do everything; its scopes alone limit it.
    private static func role(_ row: Row) throws -> Role? {
        guard try row.get("user_id", as: Identifier<User>?.self) != nil else { return .owner }
        let disabled: Timestamp? = try row.get("user_disabled_at")
        return disabled == nil ? try row.get("role") : nil
    }

    /// The header lines by which nginx's log learns whose key was refused.
    var refusal: String { "X-Hub-Refused-Key: \(id)\r\nX-Hub-Refused-Org: \(organization)\r\n" }

    var scopeNames: [String] { scopes.map(\.description) }

    /// Whether it opens anything at all, from this address.
    func verdict(at now: Timestamp, from address: String) -> KeyVerdict {
        if isRevoked { return .revoked }
        if let expiresAt, expiresAt <= now { return .expired }
        if isDisabled || role == nil { return .disabled }
        if networks.isEmpty { return .valid }
        guard let address = IPAddress(address) else { return .ipNotAllowed }
        return networks.contains { $0.contains(address) } ? .valid : .ipNotAllowed
    }

    /// Whether the role and the key both hold a right, as ``OrganizationScope/allows(_:)`` says; nil when it is none.
    func holds(_ right: String) -> Bool? {
        if let known = asked.withLock({ known in known.first { $0.right == right }?.isHeld }) { return known }
        guard let wanted = Scope(right),
            let scope = OrganizationScope(of: principal, in: organization, remoteAddress: "-", requestID: "-")
        else { return nil }
        let isHeld = scope.allows(wanted)
        asked.withLock { known in
            if known.count >= 8 { known.removeFirst() }
            known.append((right, isHeld))
        }
        return isHeld
    }

    /// Whether a use should be noted now: not with each request.
    func isToBeNoted(at now: Timestamp) -> Bool {
        let last = noted.load(ordering: .relaxed)
        let due = last == .min || now.microseconds - last >= LastUses.grain.microseconds || now.microseconds < last
        return due
            && noted.compareExchange(expected: last, desired: now.microseconds, ordering: .relaxed).exchanged
    }
}

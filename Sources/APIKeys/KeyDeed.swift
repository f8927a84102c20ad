import AddressKit
import DatabaseKit
import Domain
import JSONKit

/// What happens to a key, as the audit log and the events name it.
enum KeyDeed: String {
    case created
    case updated
    case rolled
    case previousEnded = "previous_ended"
    case disabled
    case enabled
    case revoked
    /// It will end by itself in 30, 7 or 1 days.
    case expiring
    /// Nobody has used it for 90 days.
    case unused

    /// Whether somebody did it; the others come about by themselves and are told of, but no deed for the audit log.
    var isDone: Bool { self != .expiring && self != .unused }

    /// The event that tells of it, whose name the audit log has, too.
    var event: DomainEventType {
        switch self {
        case .created: .keyCreated
        case .updated: .keyUpdated
        case .rolled: .keyRolled
        case .previousEnded: .keyPreviousEnded
        case .disabled: .keyDisabled
        case .enabled: .keyEnabled
        case .revoked: .keyRevoked
        case .expiring: .keyExpiring
        case .unused: .keyUnused
        }
    }
}

extension APIKeys {
    /// Notes what happened to a key, for the audit log and for those who are told of it, in its own transaction.
    func note(
        _ deed: KeyDeed, _ key: KeyRecord, details: JSON = [:], by scope: OrganizationScope, in transaction: Transaction
    ) throws {
        if deed.isDone {
            try audit.record(
                deed.event.rawValue, .init("api_key", key.id, name: key.name), details: details, by: scope,
                in: transaction)
        }
        let which: [JSON.Member] = [
            .init("api_key_id", .string(key.id.text)), .init("name", .string(key.name)),
            .init("prefix", .string(key.prefix)), .init("last_four", .string(key.lastFour)),
            .init("user_id", JSON(key.user?.text)),
        ]
        // Changes have names of their own, which must not stand for what the key is now.
        let more = deed == .updated ? [JSON.Member("changes", details)] : details.members ?? []
        try events.publish(deed.event, about: key.id, .object(which + more), for: scope.organization, in: transaction)
    }
}

extension KeyTerms {
    /// The terms as scripts see them; the names of metadata are the caller's own.
    var members: [JSON.Member] {
        [
            .init("name", .string(name)), .init("scopes", .array(scopes.map { .string($0.description) })),
            .init(
                "rate_limit",
                [
                    "requests_per_minute": JSON(rateLimit.perMinute), "requests_per_hour": JSON(rateLimit.perHour),
                    "requests_per_day": JSON(rateLimit.perDay),
                ]), .init("expires_at", JSON(expiresAt)),
            .init("allowed_ips", .array(allowedIPs.map { .string($0.shortest) })), .init("metadata", .object(metadata)),
        ]
    }

    /// What differs from other terms, each with what it was and is; of metadata only that it differs, for it may hold
    /// anything.
    func changes(from old: KeyTerms) -> [JSON.Member] {
        zip(members, old.members).compactMap { new, old in
            guard new != old else { return nil }
            guard new.name != "metadata" else { return .init("metadata", "changed") }
            return .init(new.name, ["from": old.value, "to": new.value])
        }
    }
}

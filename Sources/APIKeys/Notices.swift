import DatabaseKit
import Domain
import JSONKit
import JobKit
import TimeKit

/// What the room tells by itself.
extension APIKeys {
    /// The jobs of this room.
    public var jobs: [JobHandler] {
        [
            JobHandler("api_keys.expiring", every: .hours(1)) { run in try tellExpiring { run.isStopping } },
            JobHandler("api_keys.unused", every: .hours(24)) { run in try tellUnused { run.isStopping } },
        ]
    }

    /// The kinds of jobs as the system page names them.
    public static let jobLabels = [
        "api_keys.expiring": "Tell of API keys that will end", "api_keys.unused": "Tell of API keys that nobody uses",
    ]

    /// Tells of each key that ends within 30, 7 or 1 days, each once.
    ///
    /// The shortest time comes first: a key that ends tomorrow is told of once and not three times.
    func tellExpiring(until isStopping: () -> Bool = { false }) throws {
        let store = NoticeStore(database: database, world: world)
        for days in ExpiryNotice.days.reversed() {
            try tell(.expiring, until: isStopping, store.ending(within: days)) { key, transaction in
                guard try store.noteEnding(key, within: days, in: transaction) else { return nil }
                return ["expires_at": JSON(key.expiresAt), "days": JSON(days)]
            }
        }
    }

    /// Tells of each key that nobody has used for 90 days, once until it is used again.
    func tellUnused(until isStopping: () -> Bool = { false }) throws {
        let store = NoticeStore(database: database, world: world)
        try tell(.unused, until: isStopping, store.unused()) { key, transaction in
            guard try store.noteUnused(key, in: transaction) else { return nil }
            return ["last_used_at": JSON(key.lastUsedAt), "created_at": JSON(key.createdAt)]
        }
    }

    /// Tells of keys, batch by batch: those told of are not found again.
    ///
    /// - Parameter body: notes the telling and gives its details; nil when somebody else has told meanwhile.
    private func tell(
        _ deed: KeyDeed, until isStopping: () -> Bool, _ find: @autoclosure () throws -> [NoticeStore.Found],
        _ body: (KeyRecord, Transaction) throws -> JSON?
    ) throws {
        while !isStopping() {
            let found = try find()
            for item in found {
                let scope = OrganizationScope(
                    trusted: item.organization, name: "", actor: Actor(kind: .hub, name: "Hub"), requestID: "-")
                try database.transaction { transaction in
                    guard let details = try body(item.key, transaction) else { return }
                    try note(deed, item.key, details: details, by: scope, in: transaction)
                }
            }
            guard found.count == NoticeStore.batch else { return }
        }
    }
}

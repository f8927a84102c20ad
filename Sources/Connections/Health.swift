import Domain
import ThreadKit
import TimeKit

/// How an organization's connections are, as the overview and the navigation show it.
extension Connections {
    /// The figures of the overview.
    public struct Health: Sendable {
        /// A state and how many connections are in it.
        public struct State: Sendable {
            /// The state in words.
            public let label: String
            /// `good`, `warn`, `bad` or `off`.
            public let tone: String
            /// How many.
            public let count: Int
        }

        /// A connection that needs a person.
        public struct Item: Sendable {
            /// What needs attention.
            public let title: String
            /// What happened and what to do.
            public let sentence: String
            /// The path of its page.
            public let path: String
        }

        /// The states, the best first.
        public let states: [State]
        /// At most three connections that need a person.
        public let needingAttention: [Item]
    }

    /// How many connections need a person, those that cannot be opened among them.
    ///
    /// Every page asks. What cannot be opened is found by trying, which a process does once a minute; of more than 10 000
    /// connections it tries the oldest 10 000.
    public func attentionCount(_ scope: OrganizationScope) throws -> Int {
        let unreadable = try unreadable.ids(of: scope.organization, at: world.now()) {
            try statuses(scope, limit: 10_000).filter { $0.status == .undecryptable }.map(\.id)
        }
        return try store(scope).attentionCount(besides: unreadable)
    }

    /// How each connection is; what cannot be opened is found by trying.
    private func statuses(
        _ scope: OrganizationScope, limit: Int
    ) throws -> [(id: Identifier<Connection>, status: ConnectionStatus)] {
        try store(scope).states(limit: limit).map { state in
            let isReadable =
                try opens(state.sealedSecrets, at: Self.place(state.id), scope)
                && opens(state.sealedTokens, at: Tokens.place(state.id), scope)
            return (
                state.id,
                ConnectionStatus(stored: state.stored, isEnabled: state.isEnabled, isReadable: isReadable)
            )
        }
    }

    private func opens(_ sealed: [UInt8]?, at place: Vault.Place, _ scope: OrganizationScope) throws -> Bool {
        guard let sealed else { return true }
        do {
            _ = try vault.open(sealed, at: place, for: scope.organization, in: database)
            return true
        } catch is VaultError {
            return false
        }
    }

    /// How the connections are; of more than 10 000 the oldest 10 000.
    public func healthFigures(_ scope: OrganizationScope) throws -> Health {
        let statuses = try statuses(scope, limit: 10_000)
        let needy = statuses.filter { $0.status.needsPerson }.map(\.id).prefix(3)
        // One that is removed in between needs nobody any more.
        let views = try needy.compactMap { id in
            try store(scope).find(id, in: database).map { try view($0, scope, in: database) }
        }
        let states: [ConnectionStatus] = [
            .connected, .expiring, .error, .needsReauth, .undecryptable, .disconnected, .disabled,
        ]
        return Health(
            states: states.map { status in
                Health.State(label: status.word, tone: status.tone, count: statuses.count { $0.status == status })
            },
            needingAttention: views.map { view in
                Health.Item(
                    title: "\(view.title) needs you.", sentence: view.sentence,
                    path: ConnectionRoute.show(view.record.id).path)
            })
    }
}

/// The connections that a process found it cannot open, for a minute.
final class UnreadableConnections: Sendable {
    private struct Finding {
        let ids: [Identifier<Connection>]
        let until: Timestamp
    }

    private static let lifetime = Duration.minutes(1)
    private let findings = Lock<[Identifier<Organization>: Finding]>([:])

    /// Those that were found lately, or are found now. Many that ask at once may look at the same time.
    func ids(
        of organization: Identifier<Organization>, at now: Timestamp, orLook look: () throws -> [Identifier<Connection>]
    ) rethrows -> [Identifier<Connection>] {
        let known = findings.withLock { $0[organization] }
        if let known, now < known.until, now + Self.lifetime >= known.until { return known.ids }
        let ids = try look()
        findings.withLock { findings in
            if findings.count >= 10_000 { findings = [:] }
            findings[organization] = Finding(ids: ids, until: now + Self.lifetime)
        }
        return ids
    }
}

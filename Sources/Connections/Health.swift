import Domain
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

    /// How many connections need a person, as far as the database alone can tell.
    public func attentionCount(_ scope: OrganizationScope) throws -> Int {
        try store(scope).attentionCount()
    }

    /// How the connections are; of more than 200 the first 200.
    public func healthFigures(_ scope: OrganizationScope) throws -> Health {
        let views = try store(scope).list(ConnectionFilter(), after: nil, limit: 200).map {
            try view($0, scope, in: database)
        }
        let states: [ConnectionStatus] = [
            .connected, .expiring, .error, .needsReauth, .undecryptable, .disconnected, .disabled,
        ]
        return Health(
            states: states.map { status in
                Health.State(label: status.word, tone: status.tone, count: views.count { $0.status == status })
            },
            needingAttention: views.filter { $0.status.needsPerson }.prefix(3).map { view in
                Health.Item(
                    title: "\(view.title) needs you.", sentence: view.sentence,
                    path: ConnectionRoute.show(view.record.id).path)
            })
    }
}

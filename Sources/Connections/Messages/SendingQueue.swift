import DatabaseKit
import Domain
import JSONKit
import JobKit
import TimeKit

/// Sending in the background: from the queue, after a crash, and forgetting what ended long ago.
extension Connections {
    /// What is done in the background for messages.
    public var messageJobs: [JobHandler] {
        [
            JobHandler(Self.messageJob, deadline: .seconds(60)) { try sendQueued($0) },
            JobHandler("connections.messages", every: .minutes(1)) { _ in
                try takeUpCutOff()
                try forgetOld()
            },
        ]
    }

    /// The work of one job: one attempt at one message.
    func sendQueued(_ run: JobRun) throws {
        let payload = try JSON(parsing: Array(run.job.payload.utf8))
        guard let id = payload["message"]?.text.flatMap({ MessageID($0) }),
            let organization = payload["organization"]?.text.flatMap({ Identifier<Organization>($0) })
        else { throw JobFailure.park(because: "its payload names no message") }
        let token = world.randomBytes(16)
        guard let message = try begin(id, lease: token, Self.scope(of: organization)) else { return }
        let scope = requester(of: message)
        let verdict = try attempt(message, scope, isOnce: false)
        if case .retry(let wait, let trouble) = verdict {
            try database.transaction { try settle(message, verdict, lease: token, scope, in: $0) }
            throw JobFailure.retry(after: wait, because: trouble.code)
        }
        try database.transaction { transaction in
            try settle(message, verdict, lease: token, scope, in: transaction)
            try run.finish(in: transaction)
        }
    }

    /// Takes a message for an attempt and commits that; nil when there is nothing to attempt.
    private func begin(
        _ id: MessageID, lease token: [UInt8], _ scope: OrganizationScope
    ) throws -> OutgoingMessage? {
        try database.transaction { transaction in
            guard let message = try messages(scope).lock(id, in: transaction), !message.status.isFinal else {
                return nil
            }
            if message.status == .sending {
                if let until = message.leaseUntil, until > world.now() {
                    throw JobFailure.retry(
                        after: until - world.now() + .seconds(1), because: "another attempt is under way")
                }
                guard try mayRepeat(message, in: transaction) else {
                    try settle(
                        message, .unknown(.cutOff), lease: message.leaseToken ?? [], requester(of: message),
                        in: transaction)
                    return nil
                }
            }
            try messages(scope).begin(id, lease: token, in: transaction)
            return try messages(scope).find(id, in: transaction)
        }
    }

    /// Whether an attempt that was cut off may be repeated.
    private func mayRepeat(_ message: OutgoingMessage, in transaction: Transaction) throws -> Bool {
        let scope = requester(of: message)
        guard let record = try store(scope).find(message.connection, in: transaction),
            let kind = MessageContent.Kind(rawValue: message.kind)
        else { return false }
        let view = try view(record, scope, in: transaction)
        let guarding = view.provider?.repetitionGuard(kind, view.values) ?? .none
        return guarding.allows(age: world.now() - message.createdAt)
    }

    /// Takes up attempts whose process died: back into the queue where they may be repeated, else ended as unknown.
    func takeUpCutOff() throws {
        let rows = try database.rows(
            """
            SELECT \(OutgoingMessage.columns)
              FROM outgoing_messages m
             WHERE m.status = 'sending' AND m.lease_until <= \(world.now())
             LIMIT 100
            """)
        for found in try rows.map(OutgoingMessage.init) {
            let scope = requester(of: found)
            try database.transaction { transaction in
                guard let message = try messages(scope).lock(found.id, in: transaction),
                    message.status == .sending, message.leaseToken == found.leaseToken, let token = message.leaseToken
                else { return }
                let verdict: SendingVerdict =
                    try mayRepeat(message, in: transaction)
                    ? .retry(
                        after: .zero, .init(code: "cut_off", sentence: "The hub was stopped while it was sending this.")
                    )
                    : .unknown(.cutOff)
                try settle(message, verdict, lease: token, scope, in: transaction)
            }
        }
    }

    /// How long it is told what was sent.
    private static let memory = Duration.hours(90 * 24)

    /// Forgets what ended long ago, a thousand at a time.
    func forgetOld() throws {
        try database.execute(
            """
            DELETE FROM outgoing_messages
             WHERE created_at < \(world.now() - Self.memory) AND status IN ('sent', 'failed', 'unknown')
             LIMIT 1000
            """)
    }

    /// Who asked for a message, as the audit log knows them.
    private func requester(of message: OutgoingMessage) -> OrganizationScope {
        OrganizationScope(
            trusted: message.organization, name: "", actor: message.actor, requestID: message.requestID)
    }
}

import DatabaseKit
import Domain
import LogKit
import TimeKit

/// E-mail of the hub's own, sent as every other message is.
extension Connections {
    /// The connections of an organization over which e-mail can be sent, and what they are called.
    public func mailConnections(_ scope: OrganizationScope) throws -> [(id: Identifier<Connection>, name: String)] {
        try store(scope).list(ConnectionFilter(), after: nil, limit: 1_000).compactMap { record in
            guard let provider = try provider(record.provider, scope, in: database), provider.takesMail else {
                return nil
            }
            return (record.id, "\(provider.name) (\(record.name))")
        }
    }

    /// Whether a text is the address of a mailbox, as messages take it.
    public static func isMailAddress(_ text: String) -> Bool { MailAddress.isValid(text) }

    /// Takes an e-mail to be sent, in a transaction of whoever calls: it is sent exactly when that commits.
    ///
    /// Without the connection, or with the key ring's key for it missing, nothing is taken, and the log says so.
    ///
    /// - Parameter subject: one line.
    public func notify(
        _ addresses: [String], _ subject: String, _ text: String, over id: Identifier<Connection>,
        of organization: Identifier<Organization>, in transaction: Transaction
    ) throws {
        let scope = Self.scope(of: organization)
        guard let record = try store(scope).find(id, in: transaction),
            try provider(record.provider, scope, in: transaction)?.takesMail ?? false
        else {
            log.warning("a notice has no connection to go by", ["connection": .init(id.text)])
            return
        }
        for address in addresses where MailAddress.isValid(address) {
            let id = MessageID(world)
            let content = MessageContent.message(Message(to: address, text: text, subject: subject))
            do {
                let sealed = try vault.seal(
                    content.bytes, at: OutgoingMessage.place(id), for: organization, in: transaction)
                try messages(scope).insert(
                    id, content, sealed: sealed, to: record, key: nil, lease: nil, in: transaction)
                try enqueue(id, scope, in: transaction)
            } catch let error as VaultError {
                log.error("a notice cannot be sealed", ["error": .init(String(reflecting: error))])
            }
        }
    }
}

extension Provider {
    /// Whether its messages are e-mail.
    fileprivate var takesMail: Bool { message?.kind == .smtp || message?.kind == .sendgrid }
}

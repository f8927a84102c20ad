import CipherKit
import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// An event that may be taken, all of it looked at.
struct NewEvent: Sendable {
    /// The most bytes that what is sent may have.
    static let mostBytes = 262_144

    /// Where an event came from.
    enum Source: String, Sendable, CaseIterable {
        case api
        case hub
        case inbound
        case test
    }

    let id: Identifier<Event>
    /// The sender's own id for it.
    let key: String?
    let name: EventName
    let source: Source
    let orderingKey: String?
    let occurredAt: Timestamp
    /// The very bytes that are signed and sent.
    let body: [UInt8]
    /// What a repetition under the same key must equal.
    let fingerprint: [UInt8]
    /// How many changes there had been of what its kind was judged by, when that was remembered; nil when the database
    /// was asked.
    let generation: Int64?

    /// An event.
    ///
    /// - Parameters:
    ///   - key: the sender's own id; a repetition is known by it.
    ///   - generation: of what was remembered of its kind, of an event that comes alone.
    init(
        _ id: Identifier<Event>, key: String?, _ name: EventName, _ data: JSON, orderingKey: String?, source: Source,
        at moment: Timestamp, generation: Int64? = nil
    ) {
        self.id = id
        self.key = key
        self.name = name
        self.source = source
        self.orderingKey = orderingKey
        occurredAt = moment
        self.generation = generation
        let bytes = data.bytes
        body =
            JSON.object([
                JSON.Member("id", .string(id.text)), JSON.Member("type", .string(name.description)),
                JSON.Member("timestamp", .string(moment.rfc3339)), JSON.Member("data", data),
            ]).bytes
        fingerprint = SHA256.digest(
            Array("\(name)\u{0}\(orderingKey ?? "")\u{0}\(orderingKey == nil ? 0 : 1)\u{0}".utf8) + bytes)
    }
}

/// An event that was taken.
struct TakenEvent: Sendable {
    let id: Identifier<Event>
    let name: EventName
    let key: String?
    /// To how many webhooks it goes.
    let deliveries: Int
    /// Whether one of them may go now; for a webhook that is paused they wait.
    let isDue: Bool
    /// Whether it had been taken before, under the same key.
    let isRepetition: Bool
    let createdAt: Timestamp
}

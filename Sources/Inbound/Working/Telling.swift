import Domain
import JSONKit
import TimeKit

/// What others are told of an event that came in.
struct Telling {
    private let record: InboundEventRecord

    init(_ record: InboundEventRecord) { self.record = record }

    /// The most bytes of a payload that go along; what is larger is fetched by who wants it. Fewer than an event may have.
    private static let mostBytes = 200_000
    /// How deep a payload may be nested to go along: with what is written around it, it must still be JSON to everybody.
    private static let deepest = 26

    /// A body that is no JSON although it says so; it is put aside at once.
    struct Unreadable: Error {
        let sentence: String
    }

    /// What one request tells of.
    ///
    /// - Throws: ``Unreadable``; ``UnknownScheme``.
    func parts(of envelope: Envelope) throws -> [SchemeName.Part] {
        guard let scheme = record.scheme else { throw UnknownScheme() }
        let payload: Payload
        do throws(JSONError) {
            payload = try Payload(envelope.arrival)
        } catch {
            throw Unreadable(sentence: error.sentence)
        }
        return scheme.parts(payload, type: record.type)
    }

    /// The names of what one request tells of, each once; none when nothing can be published.
    func names(of envelope: Envelope) -> [String] {
        guard let parts = try? parts(of: envelope) else { return [] }
        var seen: Set<String> = []
        return parts.compactMap { try? name($0.type).description }.filter { seen.insert($0).inserted }
    }

    /// The events of one request, each with its name.
    func events(_ parts: [SchemeName.Part]) throws -> [(name: EventName, data: JSON)] {
        try parts.enumerated().map { index, part in
            (try name(part.type), data(part.type, part.payload, index: parts.count > 1 ? index : nil))
        }
    }

    /// `inbound.{provider}.{type}`, in the letters and the length that a name has.
    private func name(_ type: String) throws -> EventName {
        let text = Naming.words("inbound." + record.origin.provider) + "." + Naming.words(type)
        let cut = String(text.prefix(128)).split(separator: ".").joined(separator: ".")
        guard let name = EventName(cut) else { throw UnknownScheme() }
        return name
    }

    private func data(_ type: String, _ payload: JSON?, index: Int?) -> JSON {
        let origin = record.origin
        var left: String?
        var carried = payload
        if payload == nil {
            left = record.bodyBytes == 0 ? "empty" : "not_json"
        } else if let payload, record.bodyBytes > Self.mostBytes / 6, payload.bytes.count > Self.mostBytes {
            // A byte may become six where it is escaped.
            (carried, left) = (nil, "too_large")
        } else if let payload, payload.depth > Self.deepest {
            (carried, left) = (nil, "too_deep")
        }
        var members: [JSON.Member] = [
            .init("inbound_event_id", .string(record.id.text)), .init("source_id", .string(origin.source.text)),
            .init("provider", .string(origin.provider)), .init("type", .string(type)),
            .init("event_id", .string(record.key)), .init("connection_id", JSON(origin.connection?.text)),
            .init("integration_id", JSON(origin.integration?.text)),
            .init("workspace_id", JSON(origin.workspace?.text)), .init("received_at", JSON(record.received)),
            .init("is_replay", .bool(record.replays > 0)), .init("payload", carried ?? .null),
            .init("payload_left_out", JSON(left)),
        ]
        if let index { members.insert(.init("index", .integer(Int64(index))), at: 5) }
        return .object(members)
    }
}

extension JSON {
    /// How many arrays and objects stand within each other.
    var depth: Int {
        switch self {
        case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        case .object(let members): 1 + (members.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }
}

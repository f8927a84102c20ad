import CipherKit
import ClientKit
import JSONKit
import TimeKit

/// What was said on both sides in an attempt, as it is kept, sealed: the event's body stands with the event.
///
/// Of the owner's own header fields the names alone are kept, since their values are often credentials.
struct Talk: Sendable {
    /// The header fields that were sent.
    let sent: [(name: String, value: String)]
    let status: Int?
    /// The header fields that came back.
    let returned: [(name: String, value: String)]
    /// The body that came back, as far as it is kept.
    let body: [UInt8]

    /// In place of a value that is not kept.
    static let hidden = "••••"
    private static let mostFields = 64
    private static let mostValue = 2_048

    init(_ attempted: Attempted) {
        let parcel = attempted.parcel
        sent =
            parcel.signed(at: attempted.startedAt).map { (name: $0.0, value: $0.1) }
            + parcel.destination.headers.map { (name: $0.name, value: Self.hidden) }
        let response = try? attempted.result.get()
        status = response?.status
        returned =
            (response?.headers).map { headers in
                headers.prefix(Self.mostFields).map { (name: $0.name, value: String($0.value.prefix(Self.mostValue))) }
            } ?? []
        body = response?.body ?? []
    }

    /// As ``init(_:)-json`` reads it.
    var json: JSON {
        [
            "sent": Self.json(sent), "status": JSON(status), "returned": Self.json(returned),
            "body": .string(Base64.encode(body)),
        ]
    }

    /// Reads what was kept.
    init(json: JSON) {
        sent = Self.fields(json["sent"])
        status = json["status"]?.wholeNumber.map { Int($0) }
        returned = Self.fields(json["returned"])
        body = json["body"]?.text.flatMap { Base64.decode($0) } ?? []
    }

    private static func json(_ fields: [(name: String, value: String)]) -> JSON {
        .array(fields.map { .array([.string($0.name), .string($0.value)]) })
    }

    private static func fields(_ json: JSON?) -> [(name: String, value: String)] {
        (json?.elements ?? []).compactMap { field in
            guard let name = field[0]?.text, let value = field[1]?.text else { return nil }
            return (name, value)
        }
    }
}

import HTTPKit
import JSONKit

/// A request as it is kept: address, header fields and body, byte for byte.
struct Envelope: Sendable {
    let url: String
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    /// What is never kept: it would open this hub, not the service.
    private static let foreign: Set<String> = ["cookie", "proxy-authorization"]
    /// Header fields that are secrets themselves: not kept of what was proved, and never shown.
    static let secret: Set<String> = [
        "authorization", "x-api-key", "x-telegram-bot-api-secret-token", "x-goog-channel-token",
    ]

    /// A request that was proved, without what proved it, or one that was refused, with it.
    init(_ arrival: Arrival, isProved: Bool) {
        url = arrival.url
        body = arrival.body
        var kept: [(name: String, value: String)] = []
        arrival.headers.forEach { name, value in
            guard !Self.foreign.contains(name), !isProved || !Self.secret.contains(name) else { return }
            kept.append((name, value))
        }
        headers = kept
    }

    private init(url: String, headers: [(name: String, value: String)], body: [UInt8]) {
        (self.url, self.headers, self.body) = (url, headers, body)
    }

    /// The same with another body.
    func with(body: [UInt8]) -> Envelope { Envelope(url: url, headers: headers, body: body) }

    /// As it is sealed: the length of the head in four bytes, the head as JSON, the body.
    var bytes: [UInt8] {
        let head = JSON.object([
            .init("url", .string(url)),
            .init("headers", .array(headers.map { [.string($0.name), .string($0.value)] })),
        ]).bytes
        let length = (0..<4).map { UInt8(truncatingIfNeeded: head.count >> (24 - 8 * $0)) }
        return length + head + body
    }

    /// Reads what ``bytes`` wrote; nil when it is none.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count - 4 >= length, let head = try? JSON(parsing: Array(bytes[4..<4 + length])),
            let url = head["url"]?.text, let fields = head["headers"]?.elements
        else { return nil }
        self.url = url
        headers = fields.compactMap { field in
            guard let name = field[0]?.text, let value = field[1]?.text else { return nil }
            return (name, value)
        }
        body = Array(bytes[(4 + length)...])
    }

    /// The request once more, to be checked again.
    var arrival: Arrival {
        var fields = Headers()
        for header in headers { fields.add(header.name, header.value) }
        return Arrival(url: url, headers: fields, body: body)
    }

    /// The header fields without what must not be seen.
    var shown: [(name: String, value: String)] {
        headers.map { ($0.name, Self.secret.contains($0.name) ? "•••" : $0.value) }
    }
}

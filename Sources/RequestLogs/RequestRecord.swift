import Domain
import TimeKit

/// A request as it stands in a spool file: a version, numbers of fixed size with the highest byte first, texts led by their
/// length.
enum RequestRecord {
    private static let version: UInt8 = 1

    /// The bytes of a request.
    static func encode(_ request: LoggedRequest) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes.append(version)
        append(UInt64(bitPattern: request.at.microseconds), 8, to: &bytes)
        append(UInt64(bitPattern: request.duration.microseconds), 8, to: &bytes)
        append(UInt64(request.bytes), 8, to: &bytes)
        append(UInt64(UInt16(clamping: request.status)), 2, to: &bytes)
        bytes += request.organization.bytes
        append(optional: request.actorID, to: &bytes)
        append(optional: request.connection?.bytes, to: &bytes)
        for text in [
            request.surface.rawValue, request.actorKind.rawValue, request.method, request.route, request.path,
            request.address, request.userAgent, request.requestID, request.code,
        ] {
            append(UInt64(text.utf8.count), 2, to: &bytes)
            bytes.append(contentsOf: text.utf8)
        }
        return bytes
    }

    /// Reads a request; nil when the bytes are those of another version.
    static func decode(_ bytes: [UInt8]) -> LoggedRequest? {
        var rest = Rest(bytes: bytes)
        guard rest.number(1) == UInt64(version), let at = rest.number(8), let duration = rest.number(8),
            let size = rest.number(8), let status = rest.number(2),
            let organization = rest.take(16).flatMap({ Identifier<Organization>(bytes: $0) }),
            let actor = rest.optional(), let connection = rest.optional(), let surface = rest.text(),
            let kind = rest.text(), let method = rest.text(), let route = rest.text(), let path = rest.text(),
            let address = rest.text(), let agent = rest.text(), let id = rest.text(), let code = rest.text()
        else { return nil }
        return LoggedRequest(
            at: Timestamp(microseconds: Int64(bitPattern: at)), organization: organization,
            surface: LoggedRequest.Surface(rawValue: surface) ?? .api,
            actorKind: Actor.Kind(rawValue: kind) ?? .apiKey, actorID: actor.isEmpty ? nil : actor,
            connection: Identifier(bytes: connection), method: method, route: route, path: path, status: Int(status),
            duration: .microseconds(Int64(bitPattern: duration)), bytes: Int(clamping: size), address: address,
            userAgent: agent, requestID: id, code: code)
    }

    private static func append(_ number: UInt64, _ count: Int, to bytes: inout [UInt8]) {
        for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * (count - 1 - place)))) }
    }

    private static func append(optional id: [UInt8]?, to bytes: inout [UInt8]) {
        let id = id ?? []
        bytes.append(UInt8(clamping: id.count))
        bytes += id.prefix(255)
    }

    /// What is still to be read.
    private struct Rest {
        let bytes: [UInt8]
        var place = 0

        mutating func take(_ count: Int) -> [UInt8]? {
            guard bytes.count - place >= count else { return nil }
            defer { place += count }
            return Array(bytes[place..<place + count])
        }

        mutating func number(_ count: Int) -> UInt64? { take(count)?.reduce(0) { $0 << 8 | UInt64($1) } }

        mutating func optional() -> [UInt8]? { number(1).flatMap { take(Int($0)) } }

        mutating func text() -> String? {
            number(2).flatMap { take(Int($0)) }.map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

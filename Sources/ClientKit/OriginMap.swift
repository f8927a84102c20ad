import FoundationEssentials

/// Sends the calls to some origins elsewhere, for staging and tests.
///
/// What the operator names as a target is called even where the policy would refuse its address. A call that is sent
/// elsewhere keeps its `Host` header, so that one stand-in can tell services apart.
public struct OriginMap: Sendable {
    /// Where each origin leads instead.
    public let targets: [Origin: Origin]

    /// A map that leads nothing elsewhere.
    public init() { targets = [:] }

    /// Reads a JSON object of origins, `{"https://api.telegram.org": "http://127.0.0.1:9001"}`.
    ///
    /// http and https may stand for each other, and so may smtp and smtps.
    public init(json: [UInt8]) throws(OriginMapError) {
        let entries: [String: String]
        do {
            entries = try JSONDecoder().decode([String: String].self, from: Data(json))
        } catch DecodingError.typeMismatch(_, let context) {
            throw OriginMapError(
                entry: context.codingPath.last?.stringValue, problem: "it is not text, or no object of texts")
        } catch DecodingError.valueNotFound(_, let context) {
            throw OriginMapError(entry: context.codingPath.last?.stringValue, problem: "it has no value")
        } catch {
            throw OriginMapError(entry: nil, problem: "it is not JSON")
        }
        var targets: [Origin: Origin] = [:]
        for (from, to) in entries.sorted(by: { $0.key < $1.key }) {
            let origin = try Self.origin(from, in: from, name: "the origin")
            let target = try Self.origin(to, in: from, name: "the target")
            guard origin.scheme.hasPrefix("smtp") == target.scheme.hasPrefix("smtp") else {
                throw OriginMapError(entry: from, problem: "mail cannot stand in for the web, nor the web for mail")
            }
            guard targets.updateValue(target, forKey: origin) == nil else {
                throw OriginMapError(entry: from, problem: "the same origin is named twice")
            }
        }
        self.targets = targets
    }

    /// Reads a file as ``init(json:)`` does.
    public init(path: String) throws(OriginMapError) {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1_048_576 else {
            throw OriginMapError(entry: nil, problem: "the file cannot be read, or has more than a megabyte")
        }
        try self.init(json: [UInt8](data))
    }

    /// Whether nothing leads elsewhere.
    public var isEmpty: Bool { targets.isEmpty }

    private static func origin(_ text: String, in entry: String, name: String) throws(OriginMapError) -> Origin {
        do throws(ClientError) {
            return try Origin(text)
        } catch {
            throw OriginMapError(entry: entry, problem: "\(name) is not scheme://host:port alone")
        }
    }
}

/// A map of origins that cannot be read, with the entry at fault.
public struct OriginMapError: Error, Equatable, CustomStringConvertible {
    /// The entry's left side as written; nil when the fault is not in one entry.
    public let entry: String?
    /// What is wrong with it.
    public let problem: String

    /// The entry and what is wrong, for the operator.
    public var description: String { "origin map\(entry.map { ", entry \"\($0)\"" } ?? ""): \(problem)" }
}

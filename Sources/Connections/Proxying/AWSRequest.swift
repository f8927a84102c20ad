import CipherKit
import HTTPKit
import TimeKit

/// What a signature says of a body.
enum AWSPayload: Sendable {
    /// All of it.
    case held([UInt8])
    /// Nothing: it is sent while it is read.
    case unread
}

/// A request to one of Amazon's services, signed for the service and the region that its host names.
struct AWSRequest: Sendable {
    let method: String
    let host: String
    let path: String
    let query: String
    /// Names in lower case.
    let headers: [(String, String)]
    let payload: AWSPayload

    /// The headers that the signature adds.
    ///
    /// - Throws: `Problem` 413 for a body that is not held where the service wants it signed, ``HoledText/Empty`` where
    ///   the set-up lacks a key.
    func signature(_ values: [String: String], at now: Timestamp) throws -> [(String, String)] {
        guard let id = values["access_key_id"] else { throw HoledText.Empty(hole: "access_key_id") }
        guard let secret = values["secret_access_key"] else { throw HoledText.Empty(hole: "secret_access_key") }
        let (service, region) = Self.place(of: host)
        let hash = try payloadHash(service)
        let added = [("x-amz-date", AWSSignature.date(now)), ("x-amz-content-sha256", hash)]
        // Others, such as Accept, may be changed on the way.
        let signed = headers.filter { $0.0 == "content-type" || $0.0.hasPrefix("x-amz-") } + [("host", host)] + added
        let authorization = AWSSignature(accessKeyID: id, secretAccessKey: secret, region: region, service: service)
            .authorization(
                method: method, path: service == "s3" ? path : Self.encodedTwice(path),
                query: try Self.canonical(query),
                headers: signed.map { (name: $0.0, value: $0.1) }, payloadHash: hash, at: now)
        return added + [("authorization", authorization)]
    }

    /// > if the payload is not signed, use the literal string UNSIGNED-PAYLOAD     S3: Signature Calculations
    private func payloadHash(_ service: String) throws(Problem) -> String {
        switch payload {
        case .held(let body): return Hex.encode(SHA256.digest(body))
        case .unread where service == "s3": return "UNSIGNED-PAYLOAD"
        case .unread:
            throw Problem(413, "body_too_large", "A body that must be signed may have at most \(ProxyBody.kept) bytes.")
        }
    }

    /// Service and region as a host names them: `bucket.s3.eu-central-1.amazonaws.com`; services without a region are
    /// signed for the first one.
    static func place(of host: String) -> (service: String, region: String) {
        var labels = host.split(separator: ".").map(String.init)
        if let end = labels.firstIndex(of: "amazonaws") { labels = Array(labels[..<end]) }
        let region = labels.lastIndex { $0.wholeMatch(of: /[a-z]{2}(-[a-z]+)+-[0-9]+/) != nil }
        let before = labels[..<(region ?? labels.endIndex)].filter { $0 != "dualstack" }
        let named = before.last ?? "sts"
        return (
            ["email": "ses", "bedrock-runtime": "bedrock"][named] ?? named, region.map { labels[$0] } ?? "us-east-1"
        )
    }

    /// > Each path segment must be URI-encoded twice (except for Amazon S3 which only gets URI-encoded once).
    private static func encodedTwice(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { Percent.encode($0) }.joined(separator: "/")
    }

    /// Names and values decoded, encoded as AWS does, and in order.
    private static func canonical(_ query: String) throws(Problem) -> String {
        var pairs: [String] = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Percent.decode(parts[0]), let value = Percent.decode(parts.count == 2 ? parts[1] : "")
            else {
                throw Problem(400, "malformed_query", "The query has a broken percent-escape.")
            }
            pairs.append("\(Percent.encode(name))=\(Percent.encode(value))")
        }
        // By name and then by value: `=` stands before every character that a name can hold but `-` and `.`.
        return pairs.sorted { $0.replacing("=", with: "\u{1}") < $1.replacing("=", with: "\u{1}") }
            .joined(separator: "&")
    }
}

import CipherKit
import TimeKit

/// Signs a request for Amazon Web Services with Signature Version 4.
///
/// > https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
struct AWSSignature: Sendable {
    let accessKeyID: String
    let secretAccessKey: String
    let region: String
    let service: String

    /// The value of the `Authorization` header.
    ///
    /// - Parameters:
    ///   - headers: every header that is signed, names in lower case; `host` and `x-amz-date` among them.
    ///   - query: names and values, encoded and in order already.
    func authorization(
        method: String, path: String, query: String, headers: [(name: String, value: String)], body: [UInt8],
        at moment: Timestamp
    ) -> String {
        authorization(
            method: method, path: path, query: query, headers: headers, payloadHash: Hex.encode(SHA256.digest(body)),
            at: moment)
    }

    /// The same with the digest of the body in hex, or what a service takes in its place.
    func authorization(
        method: String, path: String, query: String, headers: [(name: String, value: String)], payloadHash: String,
        at moment: Timestamp
    ) -> String {
        let sorted = headers.sorted { $0.name < $1.name }
        let signed = sorted.map(\.name).joined(separator: ";")
        let canonical = [
            method, path, query, sorted.map { "\($0.name):\($0.value)\n" }.joined(), signed,
            payloadHash,
        ].joined(separator: "\n")
        let date = Self.date(moment)
        let scope = "\(date.prefix(8))/\(region)/\(service)/aws4_request"
        let text = ["AWS4-HMAC-SHA256", date, scope, Hex.encode(SHA256.digest(canonical.utf8))].joined(separator: "\n")
        let signature = Hex.encode(HMAC.sha256(Array(text.utf8), key: signingKey(day: String(date.prefix(8)))))
        return "AWS4-HMAC-SHA256 Credential=\(accessKeyID)/\(scope), SignedHeaders=\(signed), Signature=\(signature)"
    }

    /// The moment as `x-amz-date` has it: `20150830T123600Z`.
    static func date(_ moment: Timestamp) -> String {
        String(moment.rfc3339.prefix(19)).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    private func signingKey(day: String) -> [UInt8] {
        ["\(day)", region, service, "aws4_request"].reduce(Array("AWS4\(secretAccessKey)".utf8)) { key, part in
            HMAC.sha256(Array(part.utf8), key: key)
        }
    }
}

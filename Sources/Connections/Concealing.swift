import CipherKit
import HTTPKit
import LogKit

/// Leaves the secrets of a set-up out of what a service says: some repeat in an answer what they were sent.
struct Concealing: Sendable {
    private let secrets: [[UInt8]]

    /// - Parameters:
    ///   - values: the whole set-up of a connection to the provider.
    ///   - sent: what else was sent along that nobody may see, such as a code.
    init(_ provider: Provider, _ values: [String: String], besides sent: [Secret<String>] = []) {
        // Shorter ones stand in many words, and would be known by what is missing.
        let names = provider.fields.filter { $0.kind == .secret }.map(\.name) + ["access_token", "refresh_token"]
        let known = (names.compactMap { values[$0] } + sent.map { $0.reveal { $0 } }).filter { $0.utf8.count >= 4 }
        // The longest first, since one form may stand inside another.
        let forms = Set(known.flatMap { Self.forms(of: $0, values) })
        secrets = forms.map { Array($0.utf8) }.sorted { $0.count > $1.count }
    }

    /// A secret in each form that it travels in, or that a service may log it in.
    private static func forms(of secret: String, _ values: [String: String]) -> [String] {
        let hex = Hex.encode(secret.utf8)
        let plain = [
            secret, Percent.encode(secret), Percent.encodeSegment(secret), Base64.encode(secret.utf8),
            Base64URL.encode(Array(secret.utf8)), hex, hex.uppercased(),
        ]
        // Beside a user's name, as Basic authentication sends it (RFC 7617 §2).
        return plain + values.values.map { Base64.encode("\($0):\(secret)".utf8) }
    }

    /// The text without secrets and control characters, cut to a length only then, so that no beginning of one remains.
    ///
    /// Compared byte by byte: with an accent behind it the last letter of a secret is another character, and the secret
    /// stands there all the same.
    func callAsFunction(_ text: String, atMost limit: Int = 200) -> String {
        let concealed = secrets.reduce(Array(text.utf8)) { Self.remove($1, from: $0) }
        let scalars = String(decoding: concealed, as: UTF8.self).unicodeScalars
        let plain = scalars.map { $0.properties.generalCategory == .control ? " " : $0 }
        return String(String.UnicodeScalarView(plain.prefix(limit)))
    }

    private static func remove(_ secret: [UInt8], from bytes: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            if bytes[place] == secret[0], bytes[place...].starts(with: secret) {
                kept += "•••".utf8
                place += secret.count
            } else {
                kept.append(bytes[place])
                place += 1
            }
        }
        return kept
    }
}

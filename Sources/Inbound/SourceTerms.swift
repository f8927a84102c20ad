import Domain
import HTTPKit
import JSONKit
import LogKit

/// What a source is to be, as far as somebody says so; nil leaves what is.
struct SourceTerms {
    var name: String?
    var recipe: Recipe?
    var bodyLimit: Int?
    var perMinute: Int?
}

/// What a new source is to be.
struct NewSourceTerms {
    let provider: String
    let name: String
    let scheme: SchemeName
    let connection: Inbound.ConnectionChoice?
    let secret: Secret<String>?
    let terms: SourceTerms
}

/// Reads what is asked of a source, from a form or from JSON alike.
struct SourceTermsReader {
    private static let limits: ClosedRange<Int64> = 1_024...Int64(SchemeName.mostBytes)

    /// Reads what a source may be changed in.
    ///
    /// - Parameter scheme: the source's; only a sender's own way of signing can be described.
    static func read(_ input: inout Input, scheme: SchemeName?) -> SourceTerms {
        var terms = SourceTerms()
        terms.name = input.optionalText("name", 1...100)
        terms.bodyLimit = input.number("body_limit", limits).map { Int($0) }
        terms.perMinute = input.number("per_minute", 1...Int64(SourceRecord.mostPerMinute)).map { Int($0) }
        terms.recipe = recipe(&input)
        if terms.recipe != nil, let scheme, scheme != .hmac {
            input.refuse("hmac", "not_used", "Only the scheme “hmac” can be described.")
        }
        return terms
    }

    /// Reads a secret that somebody gives, or none.
    static func secret(_ input: inout Input, _ scheme: SchemeName, _ recipe: Recipe?) -> Secret<String>? {
        guard let given = input.secret("secret") else { return nil }
        // Pasted secrets come with blanks and line ends that are no part of them.
        let secret = Secret(given.reveal { String($0.trimmed) })
        if let objection = secret.reveal({ scheme.objection(to: $0, recipe) }) {
            input.refuse("secret", "invalid_secret", objection)
        }
        return secret
    }

    private static let fields = [
        "header", "prefix", "algorithm", "encoding", "secret_encoding", "timestamp_header", "id_header", "type_header",
    ]

    /// A sender's own way of signing; nil when nothing is said of it.
    private static func recipe(_ input: inout Input) -> Recipe? {
        input.requireObject("hmac")
        let isSaid = fields.contains { input.isGiven("hmac.\($0)") }
        let algorithm = input.parsed("hmac.algorithm", orSay: "This is sha1, sha256 or sha512.", 1...10) {
            Recipe.Digest(rawValue: $0)
        }
        let encoding = input.parsed("hmac.encoding", orSay: "This is hex or base64.", 1...10) {
            Recipe.Encoding(rawValue: $0)
        }
        let keyForm = input.parsed("hmac.secret_encoding", orSay: "This is text, base64 or hex.", 1...10) {
            Recipe.KeyForm(rawValue: $0)
        }
        let prefix = input.optionalText("hmac.prefix", 0...40)
        let names = ["header", "timestamp_header", "id_header", "type_header"].map { field in
            input.parsed("hmac.\(field)", orSay: "This is the name of a header, such as X-Signature.", 1...100) {
                headerName($0)
            }
        }
        guard isSaid else { return nil }
        guard let header = names[0] else {
            _ = input.required("hmac.header", names[0])
            return nil
        }
        return Recipe(
            header: header, prefix: prefix ?? "", digest: algorithm ?? .sha256, encoding: encoding ?? .hex,
            keyForm: keyForm ?? .text, timestamp: names[1], idHeader: names[2], typeHeader: names[3])
    }

    /// A token of RFC 9110 §5.6.2 as far as nginx passes it on, in lower case.
    private static func headerName(_ text: String) -> String? {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d: true
            default: false
            }
        }
        return isName ? text.lowercased() : nil
    }
}

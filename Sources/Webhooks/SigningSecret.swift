import CipherKit
import LogKit

/// What a webhook signs with.
struct SigningSecret: Sendable {
    private enum Kind {
        /// Standard Webhooks, `v1`: receiver and hub know the same secret.
        case symmetric(StandardWebhooks.SymmetricSecret)
        /// Standard Webhooks, `v1a`: the receiver knows the public key alone.
        case asymmetric(Ed25519.PrivateKey)
        /// Words of the owner's choosing, too weak for the standard's header: signed into one of its own.
        case words(Secret<String>)
    }

    private let kind: Kind

    private static let privatePrefix = "whsk_"

    /// A new secret of 256 bits.
    static func random(isAsymmetric: Bool = false) -> SigningSecret {
        SigningSecret(kind: isAsymmetric ? .asymmetric(.random()) : .symmetric(.random()))
    }

    private init(kind: Kind) { self.kind = kind }

    /// Reads what an owner gave: `whsec_…`, `whsk_…`, or words of 8 to 256 printable ASCII characters; nil otherwise.
    init?(_ text: String) {
        if text.hasPrefix(StandardWebhooks.SymmetricSecret.prefix) {
            guard let secret = StandardWebhooks.SymmetricSecret(text) else { return nil }
            kind = .symmetric(secret)
        } else if text.hasPrefix(Self.privatePrefix) {
            guard let seed = Base64.decode(String(text.dropFirst(Self.privatePrefix.count))),
                let key = Ed25519.PrivateKey(seed: seed)
            else { return nil }
            kind = .asymmetric(key)
        } else {
            // The half of a pair that receivers hold signs nothing.
            guard !text.hasPrefix("whpk_"), (8...256).contains(text.utf8.count),
                text.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
            else {
                return nil
            }
            kind = .words(Secret(text))
        }
    }

    /// As ``init(_:)`` reads it.
    var text: Secret<String> {
        switch kind {
        case .symmetric(let secret): secret.text
        case .asymmetric(let key): Secret(key.bytes.reveal { Self.privatePrefix + Base64.encode($0) })
        case .words(let words): words
        }
    }

    /// What the receiver is given to check with: the secret itself, or the public key.
    var given: Secret<String> {
        if case .asymmetric(let key) = kind { return Secret(StandardWebhooks.written(publicKey: key.publicKey)) }
        return text
    }

    /// The scheme by name: `v1`, `v1a`, or `legacy`.
    var scheme: String {
        switch kind {
        case .symmetric: "v1"
        case .asymmetric: "v1a"
        case .words: "legacy"
        }
    }

    /// The header fields that sign a body, of this secret and those that still count beside it.
    static func headers(
        of secrets: [SigningSecret], id: String, timestamp: Int64, body: [UInt8]
    ) -> [(String, String)] {
        var standard: [String] = []
        var legacy: [String] = []
        for secret in secrets {
            switch secret.kind {
            case .symmetric(let secret): standard.append(secret.signature(id: id, timestamp: timestamp, body: body))
            case .asymmetric(let key):
                standard.append(StandardWebhooks.signature(by: key, id: id, timestamp: timestamp, body: body))
            case .words(let words):
                let content = Array("\(timestamp).".utf8) + body
                legacy.append("v0=" + Hex.encode(words.reveal { HMAC.sha256(content, key: $0.utf8) }))
            }
        }
        var headers = [("webhook-id", id), ("webhook-timestamp", String(timestamp))]
        if !standard.isEmpty { headers.append(("webhook-signature", standard.joined(separator: " "))) }
        if !legacy.isEmpty { headers.append(("x-webhook-signature", legacy.joined(separator: ","))) }
        return headers
    }
}

import AdminShell
import Domain
import TemplateKit

/// How the receiver of a webhook checks what comes, in a language of its choosing.
struct VerifyPage: ShellPage {
    static let template = "webhook-verify"
    static let sample = VerifyPage(
        webhook: .sample, signing: WebhookSigning(.random(isAsymmetric: true)), language: .python,
        links: WebhookLinks(sample: "/webhooks/1"), site: "https://hub.example")

    let webhook: WebhookRecord
    /// Nil when the secret cannot be opened; then the usual kind is shown.
    let signing: WebhookSigning?
    let language: ReceiverLanguage
    let links: WebhookLinks
    let site: String

    var title: String { "Verify “\(webhook.name)” in \(language.label)" }
    var place: Place? { .webhooks }

    private var scheme: ReceiverScheme {
        switch signing?.scheme {
        case "v1a": .keyPair(signing?.publicKey ?? "whpk_…")
        case "legacy": .words
        default: .shared
        }
    }

    var view: TemplateValue {
        [
            "list_href": .text(links.list), "name": .text(webhook.name), "tabs": links.tabs(current: "Verify"),
            "languages": .list(
                ReceiverLanguage.allCases.map { one in
                    [
                        "label": .text(one.label), "href": .text("\(links.verify)?language=\(one.rawValue)"),
                        "is_current": .bool(one == language),
                    ]
                }),
            "code_title": .text(language == .curl ? "A request as the hub sends it" : language.label),
            "before": TemplateValue(language.before(scheme)),
            "code": .text(
                language == .curl && scheme.isKeyPair ? test : language.code(scheme, webhook: webhook.id.text)),
            "more": language == .curl && scheme.isKeyPair
                ? .null : ["title": "Have the hub send a test", "code": .text(test)],
            "scheme": .text(signing?.words ?? "HMAC-SHA256 (v1)"), "webhook_id": .text(webhook.id.text),
            "public_key": TemplateValue(signing?.publicKey), "needs": .text(scheme.needs),
        ]
    }

    private var test: String {
        """
        curl -X POST '\(site)/api/v1/webhooks/\(webhook.id)/test' \\
          -H "Authorization: Bearer $HUB_API_KEY" \\
          -H 'Content-Type: application/json' -d '{}'
        """
    }
}

/// What a receiver checks with.
enum ReceiverScheme: Sendable {
    /// A secret that both know: `v1`.
    case shared
    /// A public key: `v1a`.
    case keyPair(String)
    /// Words of the owner's choosing, in a header of their own.
    case words

    var isKeyPair: Bool { if case .keyPair = self { true } else { false } }

    /// What the receiver is given, in words.
    var needs: String {
        switch self {
        case .shared:
            "Put the secret (whsec_…) into the receiver’s environment as WEBHOOK_SECRET; it was shown once and cannot be shown again. Libraries of Standard Webhooks check the same."
        case .keyPair:
            "The public key is no secret and stands in the code. Libraries of Standard Webhooks check the same."
        case .words:
            "Put your own secret into the receiver’s environment as WEBHOOK_SECRET. Roll to a whsec_ secret to be checked by libraries of Standard Webhooks."
        }
    }
}

/// A language in which receivers are written.
enum ReceiverLanguage: String, Sendable, CaseIterable {
    case python
    case javascript
    case php
    case go
    case swift
    case curl

    var label: String {
        switch self {
        case .python: "Python"
        case .javascript: "JavaScript"
        case .php: "PHP"
        case .go: "Go"
        case .swift: "Swift"
        case .curl: "curl"
        }
    }

    /// What is needed besides the language.
    func before(_ scheme: ReceiverScheme) -> String? {
        switch self {
        case .python: scheme.isKeyPair ? "With the package cryptography." : "The standard library is enough."
        case .javascript: "Node.js alone; body is a Buffer, as express.raw() gives it."
        case .php: scheme.isKeyPair ? "With the extension sodium, which PHP brings along." : "No package is needed."
        case .go: "The standard library is enough."
        case .swift: "With the package swift-crypto, or CryptoKit."
        case .curl:
            scheme.isKeyPair
                ? "Only the hub holds the private key, so it has to send the test."
                : "Signs with openssl, to try your receiver from a shell."
        }
    }
}

/// The schemes by the names under which sources are made, and what people are told of each.
enum SchemeName: String, Sendable, CaseIterable {
    case slack
    case discord
    case stripe
    case shopify
    case github
    case telegram
    case twilio
    case sendgrid
    case notion
    case meta
    case hubspot
    case google
    case graph = "microsoft_graph"
    case standardWebhooks = "standard_webhooks"
    case hmac
    case bearer

    /// What every sender can be asked to do.
    static let open: [SchemeName] = [.standardWebhooks, .hmac, .bearer]

    /// The schemes of a service, its own first; those that any sender can keep to where it has none.
    static func choices(for provider: String) -> [SchemeName] { byProvider[provider] ?? open }

    private static let byProvider: [String: [SchemeName]] = [
        "slack": [.slack], "discord": [.discord], "stripe": [.stripe], "shopify": [.shopify], "github": [.github],
        "telegram": [.telegram], "twilio": [.twilio], "sendgrid": [.sendgrid], "notion": [.notion],
        "facebook": [.meta], "instagram": [.meta], "whatsapp": [.twilio, .meta], "hubspot": [.hubspot],
        "google_calendar": [.google], "google_drive": [.google], "microsoft_teams": [.graph] + open,
    ]

    /// How a request is checked.
    ///
    /// - Parameter recipe: the sender's own way, for `hmac`.
    func scheme(_ recipe: Recipe?) -> Scheme {
        switch self {
        case .slack: .code(.slack)
        case .shopify: .code(.shopify)
        case .github, .meta: .code(.github)
        case .notion: .code(.notion)
        case .hubspot: .code(.hubspot)
        case .hmac: .code(recipe ?? .usual)
        case .discord: .discord
        case .stripe: .stripe
        case .twilio: .twilio
        case .sendgrid: .sendgrid
        case .telegram: .token(header: "x-telegram-bot-api-secret-token")
        case .google: .token(header: "x-goog-channel-token")
        case .graph: .graph
        case .standardWebhooks: .standardWebhooks
        case .bearer: .bearer
        }
    }

    /// Whether the hub makes the secret and the service takes it, rather than the other way.
    var isSecretOurs: Bool {
        switch self {
        case .github, .telegram, .google, .graph, .standardWebhooks, .hmac, .bearer: true
        case .slack, .discord, .stripe, .shopify, .twilio, .sendgrid, .notion, .meta, .hubspot: false
        }
    }

    /// The most bytes of a body unless somebody says otherwise.
    var usualBodyLimit: Int { self == .github ? Self.mostBytes : 1_048_576 }
    /// The most bytes that a body may have at all: GitHub cuts its payloads there.
    static let mostBytes = 26_214_400

    /// The scheme in words.
    var words: String {
        switch self {
        case .slack: "Slack’s signing secret"
        case .discord: "Discord’s public key (Ed25519)"
        case .stripe: "Stripe’s endpoint secret"
        case .shopify: "Shopify’s client secret"
        case .github: "GitHub’s webhook secret"
        case .telegram: "Telegram’s secret token"
        case .twilio: "Twilio’s auth token"
        case .sendgrid: "SendGrid’s verification key (ECDSA)"
        case .notion: "Notion’s verification token"
        case .meta: "Meta’s app secret"
        case .hubspot: "HubSpot’s client secret (v3)"
        case .google: "Google’s channel token"
        case .graph: "Microsoft Graph’s client state"
        case .standardWebhooks: "Standard Webhooks"
        case .hmac: "HMAC of the body"
        case .bearer: "Bearer token"
        }
    }

    /// Where the secret is found, or where it goes.
    var help: String {
        switch self {
        case .slack: "Basic Information → App Credentials → Signing Secret."
        case .discord: "General Information → Public Key: 64 hexadecimal digits."
        case .stripe: "Webhooks → your endpoint → Signing secret. It begins with whsec_ and is pasted whole."
        case .shopify: "The client secret of the app that registered the webhook."
        case .github: "Settings → Webhooks → Secret. Left empty, the hub makes one for you to paste there."
        case .telegram: "What you give to setWebhook as secret_token. Left empty, the hub makes one."
        case .twilio: "Account → API keys & tokens → Auth token."
        case .sendgrid: "Mail Settings → Signed Event Webhook → Verification Key."
        case .notion: "Leave it empty: Notion sends a verification token to the address, and it is shown here."
        case .meta: "App settings → Basic → App secret."
        case .hubspot: "Your app → Auth → Client secret."
        case .google: "What you give to watch as token. Left empty, the hub makes one."
        case .graph: "What you give to a subscription as clientState. Left empty, the hub makes one."
        case .standardWebhooks:
            "whsec_ and base64, as the sender shows it, or whpk_ for a public key. Left empty, the hub makes one."
        case .hmac: "What both sides know. Left empty, the hub makes one."
        case .bearer: "What the sender puts behind Authorization: Bearer. Left empty, the hub makes one."
        }
    }

    /// What a secret must be; nil when this one is.
    func objection(to secret: String, _ recipe: Recipe?) -> String? {
        switch self {
        case .discord where Hexadecimal.count(secret) != 64: "A public key of Discord has 64 hexadecimal digits."
        case .sendgrid where PublicKey.p256(secret) == nil:
            "A verification key is the base64 of a public key on P-256; it begins with MFkw."
        case .standardWebhooks where StandardKey(secret) == nil:
            "Write whsec_ and the base64 of 24 to 64 bytes, or whpk_ and that of 32."
        case .graph where secret.utf8.count > 128: "Graph takes at most 128 characters as clientState."
        case .telegram where !Self.isToken(secret): "A secret token has 1 to 256 letters, digits, _ and -."
        case .hmac where (recipe ?? .usual).key(secret).map(\.isEmpty) ?? true:
            "The secret is not written as its form says."
        default: (1...1_024).contains(secret.utf8.count) ? nil : "A secret has 1 to 1 024 bytes."
        }
    }

    private static func isToken(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
                default: false
                }
            }
    }
}

/// A text of hexadecimal digits.
private enum Hexadecimal {
    /// How many digits there are; nil when there is anything else.
    static func count(_ text: String) -> Int? {
        text.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit } ? text.utf8.count : nil
    }
}

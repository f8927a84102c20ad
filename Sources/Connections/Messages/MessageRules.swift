/// What a service takes in a message, so that what it would refuse or cut is refused here, with the field named.
struct MessageRules: Sendable {
    /// How long a text may be, as the service counts.
    struct Limit: Sendable {
        let count: Int
        let unit: String
        let measure: @Sendable (String) -> Int

        /// `4 096 characters`
        var words: String {
            let digits = String(count)
            let groups = digits.utf8.count > 3 ? "\(digits.dropLast(3))\u{a0}\(digits.suffix(3))" : digits
            return "\(groups) \(unit)"
        }

        /// In code points.
        static func characters(_ count: Int) -> Limit {
            Limit(count: count, unit: "characters") { $0.unicodeScalars.count }
        }

        /// In UTF-16 code units, in which an emoji counts as two.
        static func codeUnits(_ count: Int) -> Limit {
            Limit(count: count, unit: "characters, an emoji counting as two") { $0.utf16.count }
        }

        /// In bytes of UTF-8.
        static func bytes(_ count: Int) -> Limit { Limit(count: count, unit: "bytes") { $0.utf8.count } }
    }

    /// Whom a message is for.
    struct Recipient: Sendable {
        /// What people call it.
        let label: String
        /// What the whole of it must match.
        let isValid: @Sendable (String) -> Bool
        /// What is said when it does not.
        let refusal: String
        /// The fields of the set-up that say it where a message does not.
        let defaults: [String]
    }

    /// Nil where the connection itself says whom its messages are for.
    let recipient: Recipient?
    let text: Limit
    /// Nil where messages have no subject.
    let subject: Limit?
    let needsSubject: Bool
    /// Nil where messages have no second form in HTML.
    let html: Limit?

    init(_ recipient: Recipient?, text: Limit, subject: Limit? = nil, needsSubject: Bool = false, html: Limit? = nil) {
        self.recipient = recipient
        self.text = text
        self.subject = subject
        self.needsSubject = needsSubject
        self.html = html
    }

    /// The rules of a service for a connection with these values.
    static func of(_ kind: ProviderMessage.Kind, _ values: [String: String]) -> MessageRules {
        switch kind {
        case .whatsappTwilio: TwilioWhatsApp.rules
        case .sendgrid: SendGridMail.rules
        case .telegram: TelegramBot.rules
        case .instagram: InstagramDirect.rules
        case .slack: SlackChat.rules
        case .discord: DiscordChat.rules(values)
        case .teamsWorkflow: TeamsWorkflow.rules
        case .smtp: MailMessage.rules
        }
    }
}

extension MessageRules.Recipient {
    /// An address of a mailbox.
    static let mailbox = MessageRules.Recipient(
        label: "E-mail address", isValid: MailAddress.isValid,
        refusal: "Write one address such as ana@example.org, in ASCII; a domain with other letters as punycode.",
        defaults: ["to_email"])
}

/// Addresses of mailboxes.
enum MailAddress {
    /// Whether it is `local@domain` of RFC 5321 §4.1.2 with an unquoted local part and a domain of names: nothing that
    /// could begin another header, another command or another recipient.
    static func isValid(_ address: String) -> Bool {
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, address.utf8.count <= 254, (1...64).contains(parts[0].utf8.count) else { return false }
        let atoms = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return atoms.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isAtomText) }
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2d }
            }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }

    private static func isAtomText(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }
}

import HTTPKit
import JSONKit
import LogKit

/// What was sent to connect a service by the Integrations API: a token and its `extra`, checked by the field guide.
///
/// `extra` is the caller's own: what the hub does not know is kept and given back as it came, since callers keep notes of
/// their own there. It is shown in answers, so whatever is named like a secret is refused but for a refresh token and the
/// client's secret, which have a sealed place.
struct SentIntegration: Sendable {
    let guide: IntegrationGuide
    let provider: Provider
    let token: Secret<String>
    let refreshToken: Secret<String>?
    /// The values of the service's own fields: those that may be shown, and those that are sealed.
    let setUp: SetUp
    /// Everything of `extra` that may be shown, as it was sent.
    let extra: JSON

    /// How many members `extra` may have, and how many bytes in all.
    private static let limits = (members: 50, bytes: 8_192)

    /// Reads a body; refusals are noted in the input, and nil is given when there is one.
    init?(_ guide: IntegrationGuide, _ provider: Provider, _ input: inout Input) {
        let token = Self.token(guide, provider, &input)
        let sent = input.members("extra") ?? []
        var reader = Reader(provider: provider)
        for member in sent { reader.read(member, &input) }
        for (name, standard) in guide.standards where reader.open[name] == nil {
            reader.read(JSON.Member(name, .string(standard)), &input)
        }
        for name in guide.required where reader.value(of: name) == nil {
            _ = input.required("extra.\(name)", String?.none)
        }
        let extra = JSON.object(reader.shown)
        if sent.count > Self.limits.members || extra.bytes.count > Self.limits.bytes {
            input.refuse(
                "extra", "too_long",
                "This takes at most \(Self.limits.members) members and \(Self.limits.bytes) bytes.")
        }
        guard input.isComplete, let token else { return nil }
        self.guide = guide
        self.provider = provider
        self.token = token
        refreshToken = reader.refreshToken
        setUp = SetUp(open: reader.open, secrets: reader.secrets)
        self.extra = extra
    }

    /// What a test message would still need.
    var missingForTest: [String] {
        guide.neededForTest.filter { name in !(extra.members ?? []).contains { $0.name == name } }
    }

    /// Whether a member is named like a secret.
    static func isSecretName(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["token", "secret", "password", "passwd", "api_key", "apikey", "private_key", "credential"].contains {
            name.contains($0)
        }
    }

    private static func token(
        _ guide: IntegrationGuide, _ provider: Provider, _ input: inout Input
    ) -> Secret<String>? {
        guard let text = input.required("token", input.secret("token")?.reveal { $0.trimmedEnds }) else { return nil }
        if text.isEmpty {
            input.refuse("token", "too_short", "This needs at least one character.")
        } else if let objection = guide.tokenField.flatMap({ provider.field($0)?.objection(to: text) }) {
            input.refuse("token", "invalid", objection)
        } else if !text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) {
            input.refuse("token", "invalid", "A token is letters, digits and signs, without spaces.")
        }
        return Secret(text)
    }
}

/// Sorts the members of `extra` into what the service's set-up knows and what is only kept.
private struct Reader {
    let provider: Provider
    var open: [String: String] = [:]
    var secrets: [String: String] = [:]
    var refreshToken: Secret<String>?
    var shown: [JSON.Member] = []

    init(provider: Provider) { self.provider = provider }

    /// The text of a member that was sent, known to the set-up or not.
    func value(of name: String) -> String? {
        shown.first { $0.name == name }?.value.plainText.flatMap { $0.isEmpty ? nil : $0 }
    }

    mutating func read(_ member: JSON.Member, _ input: inout Input) {
        guard member.value != .null else { return }
        let place = "extra.\(String(member.name.unicodeScalars.prefix(64)))"
        guard member.name.wholeMatch(of: /[A-Za-z0-9_.-]{1,64}/) != nil else {
            input.refuse(place, "invalid", "A name here is letters, digits, underscores, dots and hyphens, at most 64.")
            return
        }
        if let field = provider.field(member.name) {
            readField(field, member, place, &input)
        } else if member.name == "refresh_token", provider.oauth != nil {
            refreshToken = text(member, place, &input).map { Secret($0) }
        } else if SentIntegration.isSecretName(member.name) {
            input.refuse(
                place, "secret_in_extra", "extra is shown in answers: send the secret as token, or leave it out.")
        } else {
            readNote(member, place, &input)
        }
    }

    private mutating func readField(
        _ field: ProviderField, _ member: JSON.Member, _ place: String, _ input: inout Input
    ) {
        guard let value = text(member, place, &input), !value.isEmpty else { return }
        if let objection = field.objection(to: value) { input.refuse(place, "invalid", objection) }
        if field.kind == .secret { secrets[field.name] = value } else { open[field.name] = value }
        if field.isExtra { shown.append(member) }
    }

    /// A member that only its sender understands, or that the guide names for a test message.
    private mutating func readNote(_ member: JSON.Member, _ place: String, _ input: inout Input) {
        switch member.name {
        case "to_email", "from_email", "organizer_email", "target_email":
            guard let value = text(member, place, &input), value.wholeMatch(of: /[^@\s]{1,64}@[^@\s]{1,190}/) == nil
            else { break }
            input.refuse(place, "invalid", "This is no e-mail address.")
        case "to_whatsapp":
            guard let value = text(member, place, &input),
                value.wholeMatch(of: /(whatsapp:)?\+[1-9][0-9]{6,14}/) == nil
            else { break }
            input.refuse(place, "invalid", "Write the number with + and the country, such as +14155238886.")
        case "instagram_scoped_id", "calendar_id": _ = text(member, place, &input)
        default: break
        }
        shown.append(member)
    }

    private func text(_ member: JSON.Member, _ place: String, _ input: inout Input) -> String? {
        guard let text = member.value.plainText, text.unicodeScalars.count <= 4_096 else {
            input.refuse(place, "wrong_type", "This must be a text of at most 4 096 characters.")
            return nil
        }
        return text
    }
}

extension JSON {
    /// A text, or a number or truth written as one, as a set-up holds it.
    var plainText: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .bool(let truth): truth ? "true" : "false"
        case .null, .number, .array, .object: nil
        }
    }
}

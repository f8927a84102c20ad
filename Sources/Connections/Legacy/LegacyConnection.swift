import CipherKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// A connection of a former system, in the terms of this one.
struct LegacyConnection: Sendable {
    /// The row's name at its former home: what makes it known again.
    let source: String
    let provider: Provider
    /// The name of the connection here.
    let name: String
    private(set) var open: [String: String] = [:]
    private(set) var secrets: [String: String] = [:]
    /// What a former contract kept beside the set-up, shown by that contract again.
    var extra: [JSON.Member] = []
    var access: Secret<String>?
    var refresh: Secret<String>?
    var expiresAt: Timestamp?
    var scopes: [String] = []
    /// Whether it was said to work.
    var wasConnected = false
    var isEnabled = true
    var facts: [JSON.Member] = []
    var createdAt: Timestamp?
    var updatedAt: Timestamp?
    /// The columns and members that have no place here.
    private(set) var leftOut: [String] = []
    /// What should be looked at.
    private(set) var remarks: [String] = []

    init(source: String, provider: Provider, name: String) {
        self.source = source
        self.provider = provider
        self.name = name
    }

    /// The name of a connection as this hub writes names: seed 0's may have capitals and underscores.
    static func name(_ text: String) -> String? {
        let name = text.lowercased().replacing("_", with: "-")
        return Spelling.isConnectionName(name) ? name : nil
    }

    // MARK: Taking values

    /// Takes a value for the field of its name, or of the name that the field has here; gives whether there is one.
    @discardableResult
    mutating func take(_ name: String, _ text: String) throws(LegacyRefusal) -> Bool {
        guard let field = provider.field(name) ?? provider.field(legacy: name) else { return false }
        let text = field.name == provider.oauth?.tenantField ? Self.tenant(text) : text.trimmedEnds
        guard !text.isEmpty else { return true }
        // Other things go by the name of a shop too.
        if field.name == provider.oauth?.tenantField, field.objection(to: text) != nil { return false }
        let isTooLong = text.utf8.count > (field.kind == .textarea ? 20_000 : 4_096)
        let hasControls = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard !isTooLong, field.kind == .secret || field.kind == .textarea || !hasControls else {
            throw LegacyRefusal("\(name) is too long, or has line breaks where there can be none.")
        }
        // It worked at its former home, so its form is no reason to lose it.
        if let objection = field.objection(to: text) { remarks.append("look at \(field.name): \(objection)") }
        if field.kind == .secret { secrets[field.name] = text } else { open[field.name] = text }
        return true
    }

    /// A tenant as its field has it, of what former systems kept of it: `https://acme.myshopify.com/`.
    private static func tenant(_ text: String) -> String {
        let host = text.trimmedEnds.lowercased().replacing("https://", with: "").prefix { $0 != "/" }
        return String(host.hasSuffix(".myshopify.com") ? host.dropLast(".myshopify.com".count) : host)
    }

    /// Puts an access token that nothing renews where a pasted one belongs, if the service has such a field.
    mutating func keepAsPasted() {
        guard refresh == nil, let own = provider.oauth?.ownToken, let token = access else { return }
        secrets[own] = token.reveal { $0 }
        access = nil
    }

    /// Takes a credential: an access token where people sign in, otherwise the service's own field.
    mutating func takeCredential(_ text: String) throws(LegacyRefusal) {
        if provider.oauth == nil, try take("token", text) { return }
        access = try Self.token(text)
    }

    /// A token as it can travel in a header.
    static func token(_ text: String) throws(LegacyRefusal) -> Secret<String> {
        let text = text.trimmedEnds
        guard (1...16_384).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw LegacyRefusal("a token is empty, too long, or has spaces in it.")
        }
        return Secret(text)
    }

    /// Notes that a member was not taken over.
    mutating func leaveOut(_ name: String) { leftOut.append(String(name.unicodeScalars.prefix(64))) }

    /// Fields without which the service cannot be used, and that are not here.
    var missing: [String] {
        provider.fields.filter { field in
            let isThere = open[field.name] ?? secrets[field.name] ?? field.standard
            // Whoever holds tokens needs the client only to renew them or to sign in again.
            return field.isRequired && isThere == nil && access == nil
        }.map(\.name)
    }

    // MARK: What is stored

    /// The set-up, with what `extra` keeps.
    var setUp: SetUp {
        var open = open
        for field in provider.fields where field.isRequired && field.kind != .secret {
            open[field.name] = open[field.name] ?? field.standard
        }
        if !extra.isEmpty { open[SetUp.extraName] = JSON.object(extra).stored }
        return SetUp(open: open, secrets: secrets)
    }

    /// What the row held, as one number that changes with any of it.
    var digest: [UInt8] {
        let values = setUp.all.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        let tokens = [access, refresh].map { JSON($0?.reveal { $0 }) }
        let whole: JSON = [
            "provider": .string(provider.key), "name": .string(name), "values": .object(values),
            "tokens": .array(tokens), "expires_at": JSON(expiresAt), "scopes": .array(scopes.map(JSON.string)),
            "enabled": .bool(isEnabled), "connected": .bool(wasConnected),
        ]
        return SHA256.digest(whole.bytes)
    }
}

/// Why a row cannot be taken over, in words that hold nothing of its secrets.
struct LegacyRefusal: Error {
    let sentence: String
    /// Whether it is none of the hub's affair, rather than wrong.
    let isSkip: Bool

    init(_ sentence: String, isSkip: Bool = false) {
        self.sentence = sentence
        self.isSkip = isSkip
    }

    /// A row that is none of the hub's affair.
    static func skip(_ sentence: String) -> LegacyRefusal { LegacyRefusal(sentence, isSkip: true) }
}

extension Provider {
    /// The field that a former system called otherwise.
    fileprivate func field(legacy name: String) -> ProviderField? {
        let own = fields.filter { $0.name != "client_secret" && $0.name != "client_id" }
        switch name {
        case "token", "api_key", "bot_token", "access_token":
            let secrets = own.filter { $0.kind == .secret && $0.isRequired }
            return secrets.count == 1 ? secrets[0] : nil
        case "access_key": return own.first { ["access_key_id", "account_sid"].contains($0.name) }
        case "secret_key": return own.first { ["secret_access_key", "auth_token"].contains($0.name) }
        case "shop_domain", "myshopify_domain", "primary_domain": return oauth?.tenantField.flatMap { field($0) }
        case "webhook_url", "url", "hook_url":
            return own.first { $0.kind == .url || $0.name == "webhook_url" || $0.name == "url" }
        default: return nil
        }
    }
}

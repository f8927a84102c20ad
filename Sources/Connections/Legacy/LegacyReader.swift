import CipherKit
import JSONKit
import LogKit
import TimeKit

/// Reads the rows of one former system.
struct LegacyReader: Sendable {
    let format: LegacyImport.Format
    let catalogue: ProviderCatalogue
    let keys: LegacyImport.Keys

    /// - Throws: ``LegacyRefusal`` when the row is none of the hub's affair, or cannot be read.
    func read(_ row: LegacyRow) throws(LegacyRefusal) -> LegacyConnection {
        guard row.members != nil else { throw LegacyRefusal("this is no row: it cannot be read.") }
        switch format {
        case .phoenixkit: return try setting(row)
        case .django: return try integration(row)
        case .supabase: return try tokens(row)
        }
    }

    /// Whose rows they are at their former home; nil where there is only one owner.
    func owner(of row: LegacyRow) -> String? {
        switch format {
        case .phoenixkit: nil
        case .django: row.text("organization_id") ?? row.text("organization")
        case .supabase: row.text("org_id")
        }
    }

    /// Whether a row gives way to others of the same file: PhoenixKit's key from before it had names.
    func isOlderForm(_ row: LegacyRow) -> Bool {
        guard format == .phoenixkit, let key = row.text("key") else { return false }
        return key.split(separator: ":").count != 3
    }

    private func provider(_ key: String) throws(LegacyRefusal) -> Provider {
        guard let provider = catalogue[key] else {
            let shown = key.wholeMatch(of: /[a-z0-9_-]{1,64}/) == nil ? "this name" : key
            throw .skip("there is no provider file for \(shown): add one and import again.")
        }
        return provider
    }

    private func named(_ name: String) throws(LegacyRefusal) -> String {
        guard let name = LegacyConnection.name(name) else {
            throw LegacyRefusal("its name cannot be one here: letters, digits and hyphens, at most 64.")
        }
        return name
    }

    // MARK: PhoenixKit: rows of its settings

    /// What these members of a setting are for is known and needs no place of its own.
    private static let settled: Set<String> = [
        "provider", "name", "auth_type", "status", "connected_at", "validation_status", "last_validated_at",
        "token_type", "expires_in", "expires_at", "token_obtained_at", "scopes", "scope", "metadata", "connected_email",
        "external_account_id", "access_token", "refresh_token", "userinfo",
    ]

    private func setting(_ row: LegacyRow) throws(LegacyRefusal) -> LegacyConnection {
        guard let key = row.text("key") else { throw .skip("it has no key.") }
        let steps = key.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        let isOldest = key == "document_creator_google_oauth"
        guard isOldest || (steps[0] == "integration" && steps.count > 1) else { throw .skip("it is no integration.") }
        var data = try row.object("value_json")
        if data == nil { data = try row.object("value") }
        guard let data, !data.isEmpty else { throw .skip("it is empty.") }
        let values = try opened(data)
        let name = try named(isOldest || steps.count < 3 ? ConnectionName.defaultName : steps[2])
        var made = LegacyConnection(
            source: isOldest || steps.count < 3 ? key : "integration:\(steps[1]):\(name)",
            provider: try provider(isOldest ? "google" : steps[1]), name: name)
        for member in values where !Self.settled.contains(member.name) {
            guard let text = member.value.plainText, try made.take(member.name, text) else {
                if member.value != .null { made.leaveOut(member.name) }
                continue
            }
        }
        try readGrant(values, into: &made)
        made.createdAt = row.moment("date_added") ?? row.moment("inserted_at")
        made.updatedAt = row.moment("date_updated") ?? row.moment("updated_at")
        return made
    }

    private func readGrant(_ data: [JSON.Member], into made: inout LegacyConnection) throws(LegacyRefusal) {
        let values = Dictionary(data.map { ($0.name, $0.value) }) { first, _ in first }
        func text(_ name: String) -> String? { values[name]?.text.flatMap { $0.isEmpty ? nil : $0 } }
        if let token = text("access_token") {
            if made.provider.oauth == nil {
                try made.takeCredential(token)
            } else {
                made.access = try LegacyConnection.token(token)
            }
        }
        if let token = text("refresh_token") { made.refresh = try LegacyConnection.token(token) }
        let obtained = values["token_obtained_at"].flatMap { Timestamp(legacy: $0) }
        let life = values["expires_in"]?.wholeNumber.flatMap { (0...10_000_000_000).contains($0) ? Int($0) : nil }
        made.expiresAt =
            values["expires_at"].flatMap { Timestamp(legacy: $0) }
            ?? obtained.flatMap { obtained in life.map { obtained + .seconds($0) } }
        made.scopes = Self.scopes(values["scopes"] ?? values["scope"])
        made.wasConnected = text("status").map { $0 == "connected" } ?? (made.access != nil)
        let account =
            text("external_account_id") ?? text("connected_email") ?? values["metadata"]?["connected_email"]?.text
        if let account { made.facts.append(JSON.Member("Account", .string(account))) }
    }

    /// The members with what PhoenixKit encrypted opened: `enc:v1:` and base64 of nonce, tag and ciphertext by
    /// AES-256-GCM, under the SHA-256 of its purpose and the site's `secret_key_base`.
    private func opened(_ data: [JSON.Member]) throws(LegacyRefusal) -> [JSON.Member] {
        var members: [JSON.Member] = []
        for member in data {
            guard let text = member.value.text, text.hasPrefix("enc:v1:") else {
                members.append(member)
                continue
            }
            guard let key = keys.settings else {
                throw LegacyRefusal("it is encrypted: set SECRET_KEY_BASE to the secret_key_base of its site.")
            }
            let bytes = Base64.decode(String(text.dropFirst("enc:v1:".count))) ?? []
            guard bytes.count >= 28,
                let plain = try? AES256GCM.open(
                    bytes[28...] + bytes[12..<28], key: key, nonce: Array(bytes[..<12]), authenticating: []),
                let value = String(validating: plain, as: UTF8.self)
            else { throw LegacyRefusal("its encrypted values do not open with this SECRET_KEY_BASE.") }
            members.append(JSON.Member(member.name, .string(value)))
        }
        return members
    }

    // MARK: Django: rows of the Integrations API (MVP)

    private func integration(_ row: LegacyRow) throws(LegacyRefusal) -> LegacyConnection {
        if let model = row.text("model"), !model.hasSuffix(".integration") { throw .skip("it is no integration.") }
        guard let key = row.text("provider") else { throw .skip("it names no provider.") }
        let owner = owner(of: row) ?? ""
        var made = LegacyConnection(
            source: "\(owner):\(key)", provider: try provider(key), name: ConnectionName.defaultName)
        for (member, wasSealed) in try decrypted(row.object("extra") ?? []) {
            try readExtra(member, isSecret: wasSealed || SentIntegration.isSecretName(member.name), into: &made)
        }
        if let sealed = row.text("token_encrypted") { try made.takeCredential(decrypt(sealed)) }
        made.keepAsPasted()
        made.isEnabled = row.truth("is_active") ?? true
        made.wasConnected = false
        made.createdAt = row.moment("created_at")
        made.updatedAt = row.moment("updated_at")
        return made
    }

    /// - Parameter isSecret: whether its value is one: it is kept where a field of the service seals it, and else left out,
    ///   since what is no field is shown in answers.
    private func readExtra(
        _ member: JSON.Member, isSecret: Bool, into made: inout LegacyConnection
    ) throws(LegacyRefusal) {
        guard let text = member.value.plainText else {
            guard member.value != .null else { return }
            if isSecret { made.leaveOut(member.name) } else { made.extra.append(member) }
            return
        }
        switch member.name {
        case "access_token" where made.provider.oauth != nil: made.access = try LegacyConnection.token(text)
        case "refresh_token" where made.provider.oauth != nil: made.refresh = try LegacyConnection.token(text)
        case "access_expires_at", "expires_at": made.expiresAt = Timestamp(legacy: member.value)
        default:
            // What its pages had blotted out was sent back by them and stored over what it stood for.
            if text.contains("•") { return made.leaveOut(member.name) }
            let isField = try made.take(member.name, text)
            guard isField || !isSecret else { return made.leaveOut(member.name) }
            if made.provider.field(member.name)?.isExtra ?? !isField { made.extra.append(member) }
        }
    }

    /// The members and whether they were sealed: those named `…_encrypted` opened under the name without that.
    private func decrypted(
        _ extra: [JSON.Member]
    ) throws(LegacyRefusal) -> [(member: JSON.Member, wasSealed: Bool)] {
        var members: [(member: JSON.Member, wasSealed: Bool)] = []
        for member in extra {
            guard member.name.hasSuffix("_encrypted"), let sealed = member.value.text else {
                members.append((member, false))
                continue
            }
            guard !sealed.isEmpty else { continue }
            let name = String(member.name.dropLast("_encrypted".count))
            members.append((JSON.Member(name, .string(try decrypt(sealed))), true))
        }
        return members
    }

    private func decrypt(_ token: String) throws(LegacyRefusal) -> String {
        guard !keys.fernet.isEmpty else {
            throw LegacyRefusal("it is encrypted: set FERNET_KEY to the key of its site, or to several with commas.")
        }
        do throws(FernetError) {
            let bytes = try Fernet.open(token, keys: keys.fernet)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw FernetError.malformed
            }
            return text
        } catch {
            throw LegacyRefusal("its token cannot be opened: \(error.description).")
        }
    }

    // MARK: Supabase: rows of the table `integrations`

    private func tokens(_ row: LegacyRow) throws(LegacyRefusal) -> LegacyConnection {
        guard let key = row.text("provider") else { throw .skip("it names no provider.") }
        var made = LegacyConnection(
            source: "\(owner(of: row) ?? ""):\(key)", provider: try provider(key), name: ConnectionName.defaultName)
        let metadata = try row.object("metadata") ?? []
        for member in metadata {
            guard let text = member.value.plainText, try !made.take(member.name, text) else { continue }
            // A fact is shown on the connection's page.
            guard !SentIntegration.isSecretName(member.name) else {
                made.leaveOut(member.name)
                continue
            }
            made.facts.append(JSON.Member(Self.label(member.name), .string(String(text.unicodeScalars.prefix(200)))))
        }
        if let token = row.text("access_token") { try readToken(token, into: &made) }
        if let token = row.text("refresh_token") { made.refresh = try LegacyConnection.token(token) }
        made.expiresAt = row.moment("expires_at")
        made.scopes = Self.scopes(row.members?["scope"])
        made.wasConnected = (row.text("status") ?? "connected") == "connected"
        made.isEnabled = row.text("status") != "disabled"
        made.createdAt = row.moment("created_at")
        made.updatedAt = row.moment("updated_at")
        return made
    }

    /// Zapier's rows held the address of its hook where others held a token.
    private func readToken(_ token: String, into made: inout LegacyConnection) throws(LegacyRefusal) {
        if token.hasPrefix("https://"), try made.take("webhook_url", token) { return }
        try made.takeCredential(token)
    }

    // MARK: -

    /// `primary_domain` as people read it.
    private static func label(_ name: String) -> String {
        let words = name.prefix(64).replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    private static func scopes(_ value: JSON?) -> [String] {
        let words = value?.elements?.compactMap(\.text) ?? [value?.text ?? ""]
        return words.flatMap { $0.split { $0 == " " || $0 == "," }.map(String.init) }
            .filter { $0.utf8.count <= 200 && $0.utf8.allSatisfy { (0x21...0x7e).contains($0) } }
    }
}

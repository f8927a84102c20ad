import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// The organization's keys.
struct KeyListPage: ShellPage {
    struct KeyRow: Sendable {
        let key: KeyRecord
        let revokeHref: String?
    }

    static let template = "api-keys"
    static let sample = KeyListPage(
        canCreate: true, newHref: "/api-keys/new", held: 1, limit: 10,
        keys: [KeyRow(key: .sample, revokeHref: "/api-keys/1/revoke")], firstHref: "/api-keys",
        nextHref: "/api-keys?cursor=x",
        now: Timestamp(seconds: 90))

    let canCreate: Bool
    let newHref: String
    let held: Int
    let limit: Int
    let keys: [KeyRow]
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String { "API keys" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        let hasPages = firstHref != nil || nextHref != nil
        return [
            "can_create": .bool(canCreate), "new_href": .text(newHref),
            "has_keys": .bool(!keys.isEmpty || firstHref != nil),
            "quota": .text(held == 0 ? "You may hold \(limit)." : "You hold \(held) of at most \(limit)."),
            "keys": .list(keys.map(view)),
            "pagination": hasPages
                ? [
                    "text": "Newest first, 50 at a time", "first_href": TemplateValue(firstHref),
                    "next_href": TemplateValue(nextHref),
                ] : .null,
        ]
    }

    private func view(_ row: KeyRow) -> TemplateValue {
        let key = row.key
        return [
            "name": .text(key.name), "prefix": .text(key.prefix), "owner": .text(key.owner ?? "command line"),
            "scopes": .list(key.scopes.map { ["text": .text($0.description)] }), "state": state(of: key),
            "used": key.lastUsedAt.map { $0.view(now: now) } ?? .null, "used_from": TemplateValue(key.lastUsedAddress),
            "expires": key.expiresAt.map { $0.view(now: now) } ?? .null,
            "revoked": key.revokedAt.map { $0.view(now: now) } ?? .null, "revoke_href": TemplateValue(row.revokeHref),
        ]
    }

    private func state(of key: KeyRecord) -> TemplateValue {
        switch key.state(now: now) {
        case .revoked: ["tone": "off", "word": "Revoked"]
        case .expired: ["tone": "off", "word": "Expired"]
        case .disabled: ["tone": "off", "word": "Disabled"]
        case .active:
            if let end = key.expiresAt, end - now < APIKeys.warning {
                ["tone": "warn", "word": "Expires soon"]
            } else {
                ["tone": "good", "word": "Active"]
            }
        }
    }
}

/// The key, this once.
struct KeyCreatedPage: ShellPage {
    static let template = "api-key-created"
    static let sample = KeyCreatedPage(
        key: .sample, secret: Secret("sk_0011aabb_…"), site: "https://hub.example", doneHref: "/api-keys",
        now: Timestamp(seconds: 90))

    let key: KeyRecord
    let secret: Secret<String>
    let site: String
    let doneHref: String
    let now: Timestamp

    var title: String { "Key created" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        let text = secret.reveal { $0 }
        return [
            "name": .text(key.name), "secret": .text(text), "scopes": .text(key.scopes.sentence),
            "example": .text("curl \(site)\(examplePath) \\\n  -H 'Authorization: Bearer \(text)'"),
            "expires": key.expiresAt.map { $0.view(now: now) } ?? .null, "done_href": .text(doneHref),
        ]
    }

    /// An address that this key opens, where it opens one of the hub's own.
    private var examplePath: String {
        let paths: [(Resource, String)] = [
            (.connections, "connections"), (.providers, "providers"), (.organization, "organization"),
            (.audit, "audit-log"),
        ]
        let open = paths.first { path in key.scopes.contains { $0.covers(.read(path.0)) } }
        return "/api/v1/\(open?.1 ?? "api-keys")"
    }
}

/// Asks before a key ends.
struct KeyRevokePage: ShellPage {
    static let template = "api-key-revoke"
    static let sample = KeyRevokePage(
        listHref: "/api-keys", action: "/api-keys/1/revoke", name: "billing", prefix: "sk_0011aabb",
        used: Timestamp(seconds: 0), typed: nil, problem: nil, now: Timestamp(seconds: 90))

    let listHref: String
    let action: String
    let name: String
    let prefix: String
    let used: Timestamp?
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { "Revoke key" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        let form = FormView(
            [FormField("confirm_name", "Type “\(name)” to go on", .code)], typed: typed, problem: problem)
        return [
            "list_href": .text(listHref), "action": .text(action), "name": .text(name), "prefix": .text(prefix),
            "used": used.map { $0.view(now: now) } ?? .null, "form_errors": form.summary, "fields": form.list,
        ]
    }
}

extension [Scope] {
    /// What a key may do, in words that follow “may”.
    var sentence: String {
        let words = map(\.words)
        guard let last = words.last, words.count > 1 else { return words.first ?? "do nothing" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}

extension Scope {
    /// The right in words that follow “may”; one that is not the hub's own is named as it is written.
    fileprivate var words: String {
        if self == .everything { return "do everything" }
        guard Resource(rawValue: resource) != nil else { return "use \(self)" }
        let thing = resource.replacing("_", with: " ").replacing("api", with: "API").replacing("oauth", with: "OAuth")
        switch action {
        case "read": return "read \(thing)"
        case "write": return "change \(thing)"
        case "*": return "read and change \(thing)"
        default: return "use \(self)"
        }
    }
}

extension KeyRecord {
    /// A key for samples of pages.
    static let sample = KeyRecord(
        id: Identifier(.real), user: nil, owner: "Ana Kovač", prefix: "sk_0011aabb", lastFour: "Qa9x",
        terms: KeyTerms(
            name: "billing", scopes: [.read(.connections), .read(.audit)], rateLimit: RateLimit(),
            expiresAt: Timestamp(seconds: 86_400)),
        lastUsedAt: Timestamp(seconds: 0), lastUsedAddress: "203.0.113.9", version: 1, createdAt: Timestamp(seconds: 0))
}

import AddressKit
import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TemplateKit
import TimeKit

/// The key, this once: when it was made, and when it was given another secret.
struct KeyCreatedPage: ShellPage {
    static let template = "api-key-created"
    static let sample = KeyCreatedPage(
        key: .sample, secret: Secret("sk_0011aabb_…"), isRolled: true, site: "https://hub.example",
        doneHref: "/api-keys/1", now: Timestamp(seconds: 90))

    let key: KeyRecord
    let secret: Secret<String>
    let isRolled: Bool
    let site: String
    let doneHref: String
    let now: Timestamp

    var title: String { isRolled ? "Key rolled" : "Key created" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        let text = secret.reveal { $0 }
        return [
            "name": .text(key.name), "secret": .text(text), "scopes": .text(key.scopes.sentence),
            "is_rolled": .bool(isRolled),
            "previous_ends": key.livingPrevious(now: now)?.endsAt.view(now: now) ?? .null,
            "example": .text("curl \(site)\(key.examplePath) \\\n  -H 'Authorization: Bearer \(text)'"),
            "expires": key.expiresAt.map { $0.view(now: now) } ?? .null, "done_href": .text(doneHref),
        ]
    }
}

/// Asks how long the present secret lives on when a key gets another one.
struct KeyRollPage: ShellPage {
    static let template = "api-key-roll"
    static let sample = KeyRollPage(
        key: .sample, keyHref: "/api-keys/1", action: "/api-keys/1/roll", typed: nil, problem: nil,
        now: Timestamp(seconds: 90))

    let key: KeyRecord
    let keyHref: String
    let action: String
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { "Roll key “\(key.name)”" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        let form = FormView([.grace(usual: APIKeys.usualGrace)], typed: typed, problem: problem)
        return [
            "key_href": .text(keyHref), "action": .text(action), "name": .text(key.name), "masked": .text(key.masked),
            "previous": key.livingPrevious(now: now).map { .text("\($0.prefix)_…\($0.lastFour)") } ?? .null,
            "expires": key.expiresAt?.view(now: now) ?? .null, "form_errors": form.summary, "fields": form.list,
        ]
    }
}

/// Asks before a key ends.
struct KeyRevokePage: ShellPage {
    static let template = "api-key-revoke"
    static let sample = KeyRevokePage(
        key: .sample, keyHref: "/api-keys/1", action: "/api-keys/1/revoke", typed: nil, problem: nil,
        now: Timestamp(seconds: 90))

    let key: KeyRecord
    let keyHref: String
    let action: String
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { "Revoke key" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        let form = FormView(
            [FormField("confirm_name", "Type “\(key.name)” to go on", .code)], typed: typed, problem: problem)
        return [
            "key_href": .text(keyHref), "action": .text(action), "name": .text(key.name),
            "masked": .text(key.masked), "used": key.lastUsedAt?.view(now: now) ?? .null,
            "form_errors": form.summary, "fields": form.list,
        ]
    }
}

/// Asks before all keys end that nobody has used for 90 days.
struct KeysRevokeUnusedPage: ShellPage {
    static let template = "api-keys-revoke-unused"
    static let sample = KeysRevokeUnusedPage(
        listHref: "/api-keys", action: "/api-keys/revoke-unused", keys: [(.sample, "/api-keys/1")], typed: nil,
        problem: nil, now: Timestamp(seconds: 90))

    let listHref: String
    let action: String
    let keys: [(key: KeyRecord, href: String)]
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { "Revoke unused keys" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        let form = FormView(
            [
                FormField(
                    "count", "Type how many they are, \(keys.count), to go on",
                    .line(type: "text", autocomplete: "off", inputMode: "numeric", isPlain: true), width: .short)
            ], typed: typed, problem: problem)
        return [
            "list_href": .text(listHref), "action": .text(action), "has_keys": .bool(!keys.isEmpty),
            "count": .text(keys.count.counted("key", "keys")),
            "is_cut": .bool(keys.count == KeyStore.mostUnused), "keys": .list(keys.map(view)),
            "form_errors": form.summary, "fields": form.list,
        ]
    }

    private func view(_ item: (key: KeyRecord, href: String)) -> TemplateValue {
        [
            "href": .text(item.href), "name": .text(item.key.name), "masked": .text(item.key.masked),
            "owner": .text(item.key.owner ?? "command line"),
            "used": item.key.lastUsedAt?.view(now: now) ?? .null, "created": item.key.createdAt.view(now: now),
        ]
    }
}

extension KeyRecord {
    /// An address that this key opens, where it opens one of the hub's own.
    var examplePath: String {
        let paths: [(Resource, String)] = [
            (.connections, "connections"), (.providers, "providers"), (.organization, "organization"),
            (.audit, "audit-log"),
        ]
        let open = paths.first { path in scopes.contains { $0.covers(.read(path.0)) } }
        return "/api/v1/\(open?.1 ?? "api-keys")"
    }

    /// A key for samples of pages.
    static let sample = KeyRecord(
        id: Identifier(.real), user: nil, owner: "Ana Kovač", prefix: "sk_0011aabb", lastFour: "Qa9x",
        terms: KeyTerms(
            name: "billing", scopes: [.read(.connections), .read(.audit)], rateLimit: RateLimit(),
            expiresAt: Timestamp(seconds: 86_400), allowedIPs: Network("203.0.113.0/24").map { [$0] } ?? [],
            metadata: [.init("team", "billing")]),
        previous: Previous(prefix: "sk_0011aabb", lastFour: "Zz01", endsAt: Timestamp(seconds: 3_600)),
        lastUsedAt: Timestamp(seconds: 0), lastUsedAddress: "203.0.113.9", version: 1, createdAt: Timestamp(seconds: 0))
}

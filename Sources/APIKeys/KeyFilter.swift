import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// Which keys of a list are asked for.
struct KeyFilter: Sendable, Equatable {
    /// A kind of key that somebody looks for.
    enum Shown: String, CaseIterable, Sendable {
        case active, disabled, expired, revoked
        /// Living, and over by itself within 30 days.
        case expiring
        /// Could be used, and nobody has for 90 days.
        case unused
        /// Expired or revoked.
        case ended
    }

    var shown: Shown?
    /// Whose keys; nil for everybody's.
    var owner: Identifier<User>?
    /// A part of the name, or the beginning of the key.
    var text: String?

    static let none = KeyFilter()

    /// How long before its end a key is called expiring in lists.
    static let expiringWithin = Duration.days(30)

    /// Reads `state`, `owner` and `q`; refusals are noted in the input. `me` is the user who asks.
    init(_ query: inout Input, me: Identifier<User>?) {
        shown = query.parsed("state", orSay: "There is no such state.") { Shown(rawValue: $0) }
        owner = query.parsed("owner", orSay: "This is no id of a user, nor the word me.") { text in
            text == "me" ? me : Identifier<User>(text)
        }
        // Who pastes a whole key looks for its record; the secret goes no further.
        text = query.optionalText("q", 1...100).map { KeyText($0)?.prefix ?? $0 }
    }

    private init() {}

    /// The filter as a condition on `api_keys k`, beginning with AND.
    func condition(now: Timestamp) -> SQL {
        var condition: SQL = ""
        if let shown { condition = "AND \(shown.condition(now: now))" }
        if let owner { condition = "\(condition) AND k.user_id = \(owner)" }
        if let text {
            let pattern = text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
            // Nothing that is not ASCII can be compared with a column that holds nothing else.
            let prefix: SQL = text.utf8.allSatisfy { $0 < 0x80 } ? "OR k.prefix LIKE \("\(pattern)%")" : ""
            condition = "\(condition) AND (k.name LIKE \("%\(pattern)%") \(prefix))"
        }
        return condition
    }
}

extension KeyFilter.Shown {
    /// The kind as a condition on `api_keys k`; the same that ``KeyRecord/state(now:)`` says of one key.
    func condition(now: Timestamp) -> SQL {
        let living: SQL = "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > \(now))"
        return switch self {
        case .active: "\(living) AND k.disabled_at IS NULL"
        case .disabled: "\(living) AND k.disabled_at IS NOT NULL"
        case .expired: "k.revoked_at IS NULL AND k.expires_at <= \(now)"
        case .revoked: "k.revoked_at IS NOT NULL"
        case .ended: "(k.revoked_at IS NOT NULL OR k.expires_at <= \(now))"
        case .expiring: "\(living) AND k.expires_at <= \(now + KeyFilter.expiringWithin)"
        case .unused:
            """
            \(living) AND k.disabled_at IS NULL
            AND COALESCE(k.last_used_at, k.created_at) <= \(now - KeyRecord.unusedAfter)
            """
        }
    }
}

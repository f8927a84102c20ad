import AddressKit
import Domain
import JSONKit
import LimitKit
import TimeKit

/// What a key may do and how much: everything about it that people and scripts set.
struct KeyTerms: Sendable, Equatable {
    var name: String
    var scopes: [Scope]
    var rateLimit: RateLimit
    /// When it ends by itself; nil for never.
    var expiresAt: Timestamp?
    /// From where it may be used; empty for anywhere.
    var allowedIPs: [Network] = []
    /// What its makers keep with it: names of their own, each with a text.
    var metadata: [JSON.Member] = []
}

/// How many requests a key is good for.
public struct RateLimit: Sendable, Equatable {
    /// In a minute.
    public var perMinute: Int
    /// In an hour.
    public var perHour: Int
    /// In a day.
    public var perDay: Int

    /// Three limits, each at least one.
    public init(perMinute: Int = 60, perHour: Int = 1_000, perDay: Int = 10_000) {
        self.perMinute = perMinute
        self.perHour = perHour
        self.perDay = perDay
    }
}

extension RateLimit {
    /// The limits as they are counted.
    public var quotas: [Quota] { [.minute(perMinute), .hour(perHour), .day(perDay)] }

    /// A time in which requests are counted, the shortest first.
    enum Span: String, CaseIterable {
        case minute, hour, day

        /// The limit's name as people and scripts send it.
        var field: String { "rate_limit.requests_per_\(rawValue)" }
    }

    subscript(span: Span) -> Int {
        get {
            switch span {
            case .minute: perMinute
            case .hour: perHour
            case .day: perDay
            }
        }
        set {
            switch span {
            case .minute: perMinute = newValue
            case .hour: perHour = newValue
            case .day: perDay = newValue
            }
        }
    }
}

extension Scope {
    /// Scopes as they are stored: words separated by spaces, as OAuth writes them (RFC 6749 §3.3).
    static func list(stored text: String) -> [Scope] {
        text.split(separator: " ").compactMap { Scope(String($0)) }
    }
}

extension [Scope] {
    /// As ``Scope/list(stored:)`` reads them.
    var stored: String { map(\.description).joined(separator: " ") }
}

extension Network {
    /// Networks as they are stored: `address/length`, separated by spaces.
    static func list(stored text: String) -> [Network] {
        text.split(separator: " ").compactMap { Network(String($0)) }
    }
}

extension [Network] {
    /// As ``Network/list(stored:)`` reads them.
    var stored: String { map(\.description).joined(separator: " ") }
}

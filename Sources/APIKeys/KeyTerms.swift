import AddressKit
import Domain
import JSONKit
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

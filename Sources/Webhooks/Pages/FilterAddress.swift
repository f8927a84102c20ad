import HTTPKit
import TimeKit

/// The address of a page with what it was asked for, so that a link can change one thing and keep the rest.
struct FilterAddress: Sendable {
    /// The page without anything asked for.
    let page: String
    private let pairs: [(name: String, value: String)]

    /// A page and its query; what names a place in the list, and not which list, is left out.
    init(_ page: String, _ query: Form = .empty) {
        self.page = page
        pairs = query.pairs.filter { $0.name != "cursor" && !$0.value.isEmpty }
    }

    /// The link with some fields set, and those set to nil dropped.
    func setting(_ changes: [(String, String?)]) -> String {
        let kept = pairs.filter { pair in !changes.contains { $0.0 == pair.name } }
        let all = kept + changes.compactMap { name, value in value.map { (name: name, value: $0) } }
        return all.isEmpty ? page : "\(page)?\(Form(pairs: all).urlencoded)"
    }

    /// The value that a field has, or nothing.
    func value(_ name: String) -> String { pairs.first { $0.name == name }?.value ?? "" }
}

/// A stretch of time that ends now, for the figures of a webhook.
enum FigureRange: String, Sendable, CaseIterable {
    case day = "24h"
    case week = "7d"

    var length: Duration {
        switch self {
        case .day: .hours(24)
        case .week: .days(7)
        }
    }

    /// To be read after “last”.
    var words: String {
        switch self {
        case .day: "24 hours"
        case .week: "7 days"
        }
    }
}

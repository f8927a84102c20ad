import AdminShell
import Domain
import HTTPKit
import TemplateKit

extension Connections {
    /// The services that can be connected, narrowed by words, category and kind.
    func galleryPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let query = try call.request.query()
        let filter = GalleryPage.Filter(
            search: query["search"] ?? "", category: query["category"] ?? "", kind: query["kind"] ?? "")
        let all = try catalogue(for: scope).providers
        let counts = try store(scope).countsByProvider()
        let cards = all.filter(filter.takes).map { provider in
            GalleryPage.Card(
                provider: provider, href: call.link(ConnectionRoute.new(provider: provider.key)),
                guideHref: call.link(ConnectionRoute.provider(provider.key)), count: counts[provider.key] ?? 0)
        }
        return try call.page(
            GalleryPage(
                listHref: call.link(ConnectionRoute.list), action: call.link(ConnectionRoute.gallery),
                addHref: scope.allows(.write(.providers)) ? call.link(ConnectionRoute.providerNew) : nil,
                filter: filter, categories: GalleryPage.sorted(all.map(\.category)),
                kinds: Provider.Kind.allCases.filter { kind in all.contains { $0.kind == kind } }, cards: cards))
    }
}

/// The services that can be connected.
struct GalleryPage: ShellPage {
    struct Card: Sendable {
        let provider: Provider
        let href: String
        let guideHref: String
        /// How many there are of it, whether they work or not.
        let count: Int
    }

    /// What narrows the gallery; empty texts take everything.
    struct Filter: Sendable {
        var search = ""
        var category = ""
        var kind = ""

        /// Whether a service is shown: every word stands somewhere in its name, category or summary.
        func takes(_ provider: Provider) -> Bool {
            let text = "\(provider.name) \(provider.key) \(provider.category) \(provider.summary)".lowercased()
            return search.lowercased().split(separator: " ").allSatisfy { text.contains($0) }
                && (category.isEmpty || provider.category == category)
                && (kind.isEmpty || provider.kind.rawValue == kind)
        }

        /// The query that asks for it.
        var query: String {
            let pairs = [("search", search), ("category", category), ("kind", kind)].filter { !$0.1.isEmpty }
            return pairs.isEmpty ? "" : "?" + Form(pairs).urlencoded
        }
    }

    static let template = "provider-gallery"

    let listHref: String
    let action: String
    let addHref: String?
    let filter: Filter
    let categories: [String]
    let kinds: [Provider.Kind]
    let cards: [Card]

    /// What is chosen stands in it, so that tabs and the history tell one selection from another.
    var title: String {
        let kind = Provider.Kind(rawValue: filter.kind)?.words ?? filter.kind
        let chosen = [filter.search, filter.category, kind].filter { !$0.isEmpty }
        return (["Connect a service"] + chosen).joined(separator: ": ")
    }
    var place: Place? { .connections }

    var view: TemplateValue {
        let shown = Self.sorted(cards.map(\.provider.category))
        return [
            "list_href": .text(listHref), "action": .text(action), "add_href": TemplateValue(addHref),
            "search": .text(filter.search), "category": .text(filter.category), "kind": .text(filter.kind),
            "categories": chips([("", "All categories")] + categories.map { ($0, $0) }, \.category),
            "kinds": chips([("", "Any credential")] + kinds.map { ($0.rawValue, $0.words) }, \.kind),
            "has_matches": .bool(!cards.isEmpty),
            "groups": .list(
                shown.map { category in
                    [
                        "title": .text(category),
                        "providers": .list(cards.filter { $0.provider.category == category }.map(view)),
                    ]
                }),
        ]
    }

    /// Categories by name; what fits in none comes last.
    static func sorted(_ categories: [String]) -> [String] {
        let last = "Anything else"
        return Set(categories).sorted { $0 == last ? false : $1 == last || $0 < $1 }
    }

    /// Links that set one part of the filter and keep the others.
    private func chips(
        _ choices: [(value: String, label: String)], _ part: WritableKeyPath<Filter, String>
    ) -> TemplateValue {
        .list(
            choices.map { choice in
                var other = filter
                other[keyPath: part] = choice.value
                return [
                    "label": .text(choice.label), "href": .text(action + other.query),
                    "is_current": .bool(filter[keyPath: part] == choice.value),
                ]
            })
    }

    private func view(_ card: Card) -> TemplateValue {
        let tile = card.provider.tile
        return [
            "href": .text(card.href), "name": .text(card.provider.name), "guide_href": .text(card.guideHref),
            "tile": ["letters": .text(tile.letters), "color": .text(tile.color)],
            "credential": .text(card.provider.kind.words), "summary": .text(card.provider.summary),
            "count": card.count == 0 ? .null : .text("\(card.count) connection\(card.count == 1 ? "" : "s")"),
            "is_own": .bool(card.provider.isOwn),
        ]
    }
}

import CipherKit
import Domain
import HTTPKit
import JSONKit

/// The part of a list that a request asks for, by key and never by number: `?limit=` and `?cursor=`.
///
/// The cursor is the id of the last item seen, so that what is added or removed meanwhile neither repeats nor hides
/// anything. It goes out sealed, and ``Call`` has opened it before it is read here. It says nothing about whose item it
/// is: the store's own condition on the organization does.
public struct Listing<Kind>: Sendable {
    /// How many items at most: 1 to 200, 50 unless told.
    public let limit: Int
    /// The last item seen; nil at the beginning.
    public let last: Identifier<Kind>?

    /// A part given outright.
    public init(limit: Int = 50, after last: Identifier<Kind>? = nil) {
        self.limit = limit
        self.last = last
    }

    /// Reads the two fields; refusals are noted in the input.
    ///
    /// - Parameter usual: how many items there are unless the query says otherwise.
    public init(_ query: inout Input, usual: Int = 50) {
        limit = query.number("limit", 1...200).map(Int.init) ?? usual
        last = query.parsed("cursor", orSay: "This is no cursor of ours.") { text in
            Base64URL.decode(text).flatMap { Identifier<Kind>(bytes: $0) }
        }
    }

    /// The part alone, of a query in which nothing else is asked for.
    ///
    /// - Throws: `Problem` 422 that names what is refused.
    public init(of request: Request) throws(Problem) {
        var input = Input(try request.query())
        self.init(&input)
        guard input.isComplete else { throw input.refusal }
    }

    /// Where the next part begins, given the items that a store found when asked for one more than the limit.
    public func next<Item>(_ found: [Item], _ id: (Item) -> Identifier<Kind>) -> Cursor? {
        found.count > limit ? Cursor(place: id(found[limit - 1]).bytes) : nil
    }

    /// A place in a list, meaningless to everyone else.
    public struct Cursor: Sendable, Equatable {
        let place: [UInt8]
    }
}

extension Call {
    /// A part of a list as JSON, with the link to the next part (RFC 8288).
    public func list<Kind>(_ data: [JSON], next: Listing<Kind>.Cursor?, at route: some Route) throws -> Response {
        let response = Response.json(["data": .array(data), "next_cursor": JSON(next.map(sealed))])
        guard let next else { return response }
        return response.with("link", "<\(shell.site.url(route))?\(try query(at: next))>; rel=\"next\"")
    }

    /// The link to the next part on a page; null without one.
    public func link<Kind>(_ route: some Route, next: Listing<Kind>.Cursor?) throws -> String? {
        try next.map { "\(link(route))?\(try query(at: $0))" }
    }

    /// What stands in `cursor` where a page makes its own links: the place behind this item.
    public func cursor<Kind>(after id: Identifier<Kind>) -> String {
        shell.cursors.seal(id.bytes, for: organization?.organization)
    }

    /// What stands in `cursor`.
    private func sealed<Kind>(_ cursor: Listing<Kind>.Cursor) -> String {
        shell.cursors.seal(cursor.place, for: organization?.organization)
    }

    /// What was asked, from another place on.
    private func query<Kind>(at cursor: Listing<Kind>.Cursor) throws -> String {
        let kept = try request.query().pairs.filter { $0.name != "cursor" && !$0.value.isEmpty }
        return Form(pairs: kept + [("cursor", sealed(cursor))]).urlencoded
    }
}

import AdminShell
import Domain
import HTTPKit
import TimeKit

/// The list and one connection, as people see them.
extension Connections {
    func listPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let query = try call.request.query()
        var input = Input(query)
        let places = try workspaces(scope)
        let filter = try self.filter(&input, scope)
        let part = Listing<Connection>(&input)
        guard input.isComplete else { throw input.refusal }
        let found = try views(filter, part, scope)
        let rows = found.prefix(part.limit).map { view in
            ConnectionListPage.Row(
                view: view, href: call.link(ConnectionRoute.show(view.record.id)),
                workspace: places.first { $0.id == view.record.workspace }?.name)
        }
        return try call.page(
            ConnectionListPage(
                canWrite: scope.allows(.write(.connections)), listHref: call.link(ConnectionRoute.list),
                connectHref: call.link(ConnectionRoute.gallery), rows: rows, query: query,
                hasAny: try !rows.isEmpty || !store(scope).countsByProvider().isEmpty,
                providers: catalogue(for: scope).providers,
                workspaces: places, firstHref: part.last == nil ? nil : firstHref(query, call),
                nextHref: try call.link(ConnectionRoute.list, next: part.next(found, \.record.id)), now: world.now()))
    }

    /// The link to the beginning of a list, its filter kept.
    private func firstHref(_ query: Form, _ call: Call) -> String {
        let kept = query.pairs.filter { $0.name != "cursor" && !$0.value.isEmpty }
        return call.link(ConnectionRoute.list) + (kept.isEmpty ? "" : "?" + Form(pairs: kept).urlencoded)
    }

    /// The connections of a filter, one more than the limit. What is undecryptable is known only once it was tried, so a
    /// filter for it, or for another state, looks at each.
    func views(
        _ filter: ConnectionFilter, _ part: Listing<Connection>, _ scope: OrganizationScope
    ) throws -> [ConnectionView] {
        var found: [ConnectionView] = []
        var last = part.last
        while found.count <= part.limit {
            let records = try store(scope).list(filter, after: last, limit: part.limit + 1)
            found += try records.map { try view($0, scope, in: database) }.filter {
                filter.status == nil || $0.status == filter.status
            }
            guard filter.status != nil, records.count > part.limit, let end = records.last else { break }
            last = end.id
        }
        return Array(found.prefix(part.limit + 1))
    }

    /// Reads the filter of a list; the empty choice of a form is none.
    func filter(_ input: inout Input, _ scope: OrganizationScope) throws -> ConnectionFilter {
        var filter = ConnectionFilter()
        filter.providers = input.texts("provider", atMost: 50) ?? []
        filter.search = input.optionalText("search")?.lowercased()
        if let search = filter.search {
            filter.searchedProviders = try catalogue(for: scope).providers.filter {
                $0.name.lowercased().contains(search)
            }.map(\.key)
        }
        filter.workspace = input.parsed("workspace_id", orSay: "This is no id of a workspace.") {
            Identifier<Workspace>($0)
        }
        filter.status = input.parsed("status", orSay: "There is no such state.") { ConnectionStatus(rawValue: $0) }
        return filter
    }

    func detailPage(_ id: Identifier<Connection>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let view = try find(.id(id), scope)
        let maySeeDeeds = scope.allows(.read(.audit))
        let activity = try maySeeDeeds ? store(scope).activity(id) : []
        var page = ConnectionPage(
            view: view, canWrite: scope.allows(.write(.connections)), links: ConnectionPage.Links(id, call),
            workspace: try workspaces(scope).first { $0.id == view.record.workspace }?.name, activity: activity,
            checks: try checks(scope).list(id, limit: ConnectionHealth.most),
            siteURL: call.shell.site.origin + call.shell.site.mount, now: world.now())
        page.calls = try maySeeDeeds ? store(scope).passedCalls(id) : []
        page.uses = try useLinks(of: view, call)
        page.sending = try sending(over: view, call)
        return try call.page(page)
    }
}

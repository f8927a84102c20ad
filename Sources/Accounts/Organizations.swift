import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// The organization's own page and its JSON.
extension Accounts {
    func organizationPage(_ call: Call) throws -> Response {
        try call.page(organizationPage(call, problem: nil))
    }

    func renameOrganization(_ call: Call) throws -> Response {
        var input = try call.form()
        return try call.perform {
            guard let name = input.text("organization_name", 1...100), input.isComplete else {
                throw input.refusal
            }
            try rename(to: name, call)
            return call.redirect(to: AccountRoute.organization, saying: "The organization is called \(name) now.")
        } orShow: { problem in
            try organizationPage(call, problem: problem)
        }
    }

    func switchOrganization(_ call: Call) throws -> Response {
        var input = try call.form()
        let chosen = input.parsed("organization_id", orSay: "There is no such organization.") {
            Identifier<Organization>($0)
        }
        guard let chosen, call.principal?.memberships.contains(where: { $0.organization == chosen }) == true else {
            throw Problem.notFound
        }
        try sessions.choose(chosen, in: call.browser().session)
        return call.redirect(toPath: "/")
    }

    func addWorkspace(_ call: Call) throws -> Response {
        var input = try call.form()
        return try call.perform {
            guard let name = input.text("workspace_name", 1...100), input.isComplete else {
                throw input.refusal
            }
            let made = try add(workspace: name, field: "workspace_name", by: call.scope())
            return call.redirect(to: AccountRoute.organization, saying: "Workspace “\(made.name)” added.")
        } orShow: { problem in
            try organizationPage(call, problem: problem)
        }
    }

    func renameWorkspace(_ id: Identifier<Workspace>, _ call: Call) throws -> Response {
        var input = try call.form()
        return try call.perform {
            guard let name = input.text("name", 1...100), input.isComplete else { throw input.refusal }
            let renamed = try rename(workspace: id, to: name, field: "name", call)
            return call.redirect(to: AccountRoute.organization, saying: "The workspace is called \(renamed.name) now.")
        } orShow: { problem in
            try organizationPage(call, problem: problem, renaming: id)
        }
    }

    // MARK: JSON

    func organizationJSON(_ call: Call) throws -> Response {
        let scope = try call.scope()
        guard let row = try organization(scope).organization() else { throw Problem.notFound }
        let body: JSON = [
            "id": .string(scope.organization.text), "name": .string(try row.get("name")),
            "created_at": JSON(try row.get("created_at", as: Timestamp.self)),
        ]
        return .json(body).tagged(entityTag(version: try row.get("version")))
    }

    func patchOrganization(_ call: Call) throws -> Response {
        var input = try call.json()
        guard let name = input.text("name", 1...100), input.isComplete else { throw input.refusal }
        try rename(to: name, call)
        return try organizationJSON(call)
    }

    func workspacesJSON(_ call: Call) throws -> Response {
        let part = try Listing<Workspace>(of: call.request)
        let found = try organization(call.scope()).workspaces(after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map(Self.json), next: part.next(found, \.id), at: AccountRoute.workspacesJSON)
    }

    func workspaceJSON(_ id: Identifier<Workspace>, _ call: Call) throws -> Response {
        guard let found = try organization(call.scope()).workspace(id) else { throw Problem.notFound }
        return .json(Self.json(found)).tagged(entityTag(version: found.version))
    }

    func postWorkspace(_ call: Call) throws -> Response {
        var input = try call.json()
        guard let name = input.text("name", 1...100), input.isComplete else { throw input.refusal }
        let made = try add(workspace: name, field: "name", by: call.scope())
        return .json(Self.json(made), status: 201).with("location", call.link(AccountRoute.workspaceJSON(made.id)))
            .tagged(entityTag(version: made.version))
    }

    func patchWorkspace(_ id: Identifier<Workspace>, _ call: Call) throws -> Response {
        var input = try call.json()
        guard let name = input.text("name", 1...100), input.isComplete else { throw input.refusal }
        let renamed = try rename(workspace: id, to: name, field: "name", call)
        return .json(Self.json(renamed)).tagged(entityTag(version: renamed.version))
    }

    private static func json(_ workspace: WorkspaceRecord) -> JSON {
        [
            "id": .string(workspace.id.text), "name": .string(workspace.name),
            "created_at": JSON(workspace.createdAt),
        ]
    }

    // MARK: Changes

    // `If-Match` is judged under the lock of the row: of two changes of one version only one may happen.

    private func rename(to name: String, _ call: Call) throws {
        let scope = try call.scope()
        // Whatever becomes of it: an outcome that is not known may have happened.
        defer { changed() }
        try database.transaction { transaction in
            guard let version = try organization(scope).lockedVersion(in: transaction) else { throw Problem.notFound }
            try call.request.requireMatch(entityTag(version: version))
            try organization(scope).rename(name, in: transaction)
            try audit.record(
                "organization.renamed", .init("organization", scope.organization, name: name),
                details: ["from": .string(scope.name), "to": .string(name)], by: scope, in: transaction)
            try Generations.bump(Generations.apiKeys, in: transaction)
        }
    }

    private func add(workspace name: String, field: String, by scope: OrganizationScope) throws -> WorkspaceRecord {
        let id = Identifier<Workspace>(world)
        return try naming(field) {
            try database.transaction { transaction in
                try organization(scope).insertWorkspace(id, name: name, in: transaction)
                try audit.record("workspace.created", .init("workspace", id, name: name), by: scope, in: transaction)
            }
            guard let made = try organization(scope).workspace(id) else { throw Problem.notFound }
            return made
        }
    }

    private func rename(
        workspace id: Identifier<Workspace>, to name: String, field: String, _ call: Call
    ) throws -> WorkspaceRecord {
        let scope = try call.scope()
        return try naming(field) {
            try database.transaction { transaction in
                guard let version = try organization(scope).lockedVersion(of: id, in: transaction) else {
                    throw Problem.notFound
                }
                try call.request.requireMatch(entityTag(version: version))
                _ = try organization(scope).renameWorkspace(id, name, in: transaction)
                try audit.record("workspace.renamed", .init("workspace", id, name: name), by: scope, in: transaction)
            }
            guard let renamed = try organization(scope).workspace(id) else { throw Problem.notFound }
            return renamed
        }
    }

    /// Says of a duplicate which field it was.
    private func naming<Result>(_ field: String, _ change: () throws -> Result) throws -> Result {
        do {
            return try change()
        } catch let error as DatabaseError where error.code == .duplicate {
            let detail = "There is a workspace of this name already."
            throw Problem(409, "name_taken", detail, errors: [.init(field: field, code: "taken", detail: detail)])
        }
    }

    func organizationPage(
        _ call: Call, problem: Problem?, renaming: Identifier<Workspace>? = nil
    ) throws -> OrganizationPage {
        let scope = try call.scope()
        let store = organization(scope)
        let counts = try connectionCounts(scope)
        let workspaces = try store.workspaces().map { workspace in
            OrganizationPage.WorkspaceRow(
                id: workspace.id, name: workspace.name, connections: counts[workspace.id] ?? 0,
                renameAction: call.link(AccountRoute.renameWorkspace(workspace.id)),
                removeHref: call.link(AccountRoute.removeWorkspace(workspace.id)),
                isRenaming: workspace.id == renaming)
        }
        let members = try store.members().map { row in
            let id: Identifier<User> = try row.get("id")
            return OrganizationPage.MemberRow(
                name: try row.get("name"), email: try row.get("email"), role: try row.get("role", as: Role.self),
                isYou: id == call.principal?.browser?.user, seen: try row.get("seen_at"))
        }
        return OrganizationPage(
            organization: scope.name, canEdit: scope.allows(.write(.organization)),
            nameAction: call.link(AccountRoute.renameOrganization),
            workspaceAction: call.link(AccountRoute.addWorkspace),
            workspaces: workspaces, members: members,
            notices: OrganizationPage.Notices(
                action: call.link(AccountRoute.setNotices),
                terms: try NoticeStore(world: world, organization: scope.organization).terms(in: database).terms,
                choices: try mail.choices(scope)),
            typed: problem == nil ? nil : try call.request.form(),
            problem: problem, now: world.now())
    }
}

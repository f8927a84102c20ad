import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import TemplateKit

/// Removing a workspace that holds nothing any more.
extension Accounts {
    func deleteWorkspace(_ id: Identifier<Workspace>, _ call: Call) throws -> Response {
        try remove(id, by: call.scope()) { try call.request.requireMatch(entityTag(version: $0.version)) }
        return .noContent
    }

    func removeWorkspacePage(_ id: Identifier<Workspace>, _ call: Call) throws -> Response {
        try call.page(removeWorkspacePage(id, call, typed: nil, problem: nil))
    }

    func removeWorkspace(_ id: Identifier<Workspace>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            guard let confirmed = input.text("confirm_name", 1...100), input.isComplete else { throw input.refusal }
            try remove(id, by: call.scope()) { workspace in
                guard workspace.name == confirmed else {
                    throw Problem.invalid("confirm_name", "not_the_name", "This is not its name, “\(workspace.name)”.")
                }
            }
            return call.redirect(to: AccountRoute.organization, saying: "Workspace “\(confirmed)” removed.")
        } orShow: { problem in
            try removeWorkspacePage(id, call, typed: form, problem: problem)
        }
    }

    private func removeWorkspacePage(
        _ id: Identifier<Workspace>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> WorkspaceRemovePage {
        guard let workspace = try organization(call.scope()).workspace(id) else { throw Problem.notFound }
        return WorkspaceRemovePage(
            name: workspace.name, backHref: call.link(AccountRoute.organization),
            action: call.link(AccountRoute.removeWorkspace(id)), typed: typed, problem: problem)
    }

    /// Removes a workspace. Its row is held while it is asked what belongs to it: whatever is placed there holds it, too.
    private func remove(
        _ id: Identifier<Workspace>, by scope: OrganizationScope, check: (WorkspaceRecord) throws -> Void
    ) throws {
        let store = organization(scope)
        // Not one picture of the data: what was placed there while the row was waited for must be seen.
        try database.transaction(isolation: .readCommitted) { transaction in
            guard try store.lockedVersion(of: id, in: transaction) != nil,
                let workspace = try store.workspace(id, in: transaction)
            else { throw Problem.notFound }
            try check(workspace)
            let uses = try workspaceUses(id, scope, transaction)
            guard uses == 0 else {
                let things =
                    uses == 1
                    ? "1 connection or chat platform belongs" : "\(uses) connections and chat platforms belong"
                throw Problem(
                    409, "workspace_in_use", "\(things) to this workspace. Remove them or place them elsewhere first.")
            }
            try store.deleteWorkspace(id, in: transaction)
            try audit.record(
                "workspace.removed", .init("workspace", id, name: workspace.name), by: scope, in: transaction)
        }
    }
}

/// Asks before a workspace is removed.
struct WorkspaceRemovePage: ShellPage {
    static let template = "workspace-remove"
    static let sample = WorkspaceRemovePage(
        name: "Support", backHref: "/organization", action: "/organization/workspaces/1/remove", typed: nil,
        problem: nil)

    let name: String
    let backHref: String
    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { "Remove workspace “\(name)”" }
    var place: Place? { .organization }

    var view: TemplateValue {
        let form = FormView(
            [FormField("confirm_name", "Type “\(name)” to go on", .code)], typed: typed, problem: problem)
        return [
            "name": .text(name), "back_href": .text(backHref), "action": .text(action), "form_errors": form.summary,
            "fields": form.list,
        ]
    }
}

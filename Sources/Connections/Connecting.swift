import AdminShell
import Domain
import HTTPKit

/// The forms by which people connect, edit, test and remove.
extension Connections {
    func newPage(_ key: String, _ call: Call) throws -> Response {
        try call.page(newPage(requireProvider(key, call.scope()), call))
    }

    /// Stores what was typed and tries it at once, so that a mistake shows while the page is still open.
    func connect(_ key: String, _ call: Call) throws -> Response {
        let provider = try requireProvider(key, call.scope())
        let form = try call.request.form()
        var input = Input(form)
        return try call.perform {
            let scope = try call.scope()
            let placing = try placingChange(&input, scope).applied(to: .initial)
            let setUp = SetUp.read(provider, &input, isForm: true, given: environment.fields(of: provider))
            guard input.isComplete else { throw input.refusal }
            let id = try create(provider, placing, setUp, by: scope)
            let added = try find(.id(id), scope)
            if added.signsIn, added.takesSignIn(added.values) { return try goOn(with: added, call) }
            return try showTest(of: id, call, saying: "\(provider.name) “\(placing.name)” added.")
        } orShow: { problem in
            try newPage(provider, call, typed: form, problem: problem)
        }
    }

    func editPage(_ id: Identifier<Connection>, _ call: Call) throws -> Response {
        try call.page(editPage(find(.id(id), call.scope()), call))
    }

    func edit(_ id: Identifier<Connection>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        let before = try find(.id(id), call.scope())
        return try call.perform {
            let scope = try call.scope()
            var input = Input(form)
            let placing = try placingChange(&input, scope)
            _ = input.required("name", placing.name)
            let version = input.number("version", 0...Int64.max)
            let typed = input
            try update(id, by: scope) { old in
                // The form holds every open value, so a stale one would undo what somebody else has saved.
                if let version, version != old.record.version {
                    throw Problem.changedByAnother(
                        "connection", "Check your values, and save again to replace theirs.")
                }
            } _: { old in
                var input = typed
                var change = Change(keeping: old)
                change.placing = placing.applied(to: change.placing)
                change.setUp = try setUp(of: old, &input, isForm: true)
                guard input.isComplete else { throw input.refusal }
                return change
            }
            let after = try find(.id(id), scope)
            if after.signsIn, after.takesSignIn(after.values), after.record.testedAt == nil {
                return try goOn(with: after, call)
            }
            guard after.record.testedAt == nil, after.record.isEnabled else {
                return call.redirect(to: ConnectionRoute.show(id), saying: "Saved.")
            }
            return try showTest(of: id, call, saying: "Saved.")
        } orShow: { problem in
            try editPage(before, call, typed: form, problem: problem)
        }
    }

    func test(_ id: Identifier<Connection>, _ call: Call) throws -> Response {
        try showTest(of: id, call, saying: nil)
    }

    /// Tries a connection and goes to its page, with what came of it.
    private func showTest(of id: Identifier<Connection>, _ call: Call, saying first: String?) throws -> Response {
        let scope = try call.scope()
        do {
            let outcome = try test(find(.id(id), scope), by: scope)
            let text = [first, outcome.isSuccess ? "The test passed." : "The test failed. \(outcome.sentence)"]
            return call.redirect(
                to: ConnectionRoute.show(id), saying: text.compactMap(\.self).joined(separator: " "),
                outcome.isSuccess ? .good : .bad)
        } catch let problem as Problem where problem.status == 409 || problem.status == 429 {
            return call.redirect(
                to: ConnectionRoute.show(id),
                saying: [first, problem.detail].compactMap(\.self).joined(separator: " "), .warn)
        }
    }

    /// Renews the tokens and goes to the connection's page, with what came of it.
    func refresh(_ id: Identifier<Connection>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        do {
            _ = try refresh(find(.id(id), scope), by: scope)
            return call.redirect(to: ConnectionRoute.show(id), saying: "The tokens were renewed.")
        } catch let problem as Problem where problem.code != Problem.notFound.code {
            return call.redirect(to: ConnectionRoute.show(id), saying: problem.detail, .bad)
        }
    }

    /// Reads the facts of the service and goes to the connection's page, with what came of it.
    func sync(_ id: Identifier<Connection>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        do {
            let outcome = try sync(find(.id(id), scope), by: scope)
            return call.redirect(
                to: ConnectionRoute.show(id), saying: outcome.error ?? "Read again what the service says.",
                outcome.error == nil ? .good : .bad)
        } catch let problem as Problem where problem.code != Problem.notFound.code {
            return call.redirect(to: ConnectionRoute.show(id), saying: problem.detail, .bad)
        }
    }

    func setEnabled(_ isEnabled: Bool, _ id: Identifier<Connection>, _ call: Call) throws -> Response {
        try setEnabled(isEnabled, id, by: call.scope())
        return call.redirect(
            to: ConnectionRoute.show(id),
            saying: isEnabled ? "Enabled." : "Disabled. Nothing is sent until it is enabled again.")
    }

    func confirmPage(_ id: Identifier<Connection>, isRemoval: Bool, _ call: Call) throws -> Response {
        try call.page(confirmPage(find(.id(id), call.scope()), isRemoval: isRemoval, call))
    }

    func disconnect(_ id: Identifier<Connection>, _ call: Call) throws -> Response {
        try confirmed(id, isRemoval: false, call) { view in
            let revocation = try disconnect(id, by: call.scope())
            return call.redirect(
                to: ConnectionRoute.show(id), saying: "\(view.title) disconnected. \(revocation.detail)",
                revocation.tone)
        }
    }

    func remove(_ id: Identifier<Connection>, _ call: Call) throws -> Response {
        try confirmed(id, isRemoval: true, call) { view in
            let revocation = try remove(id, by: call.scope())
            return call.redirect(
                to: ConnectionRoute.list, saying: "\(view.title) removed. \(revocation.detail)", revocation.tone)
        }
    }

    /// Performs what cannot be undone once the name was typed.
    private func confirmed(
        _ id: Identifier<Connection>, isRemoval: Bool, _ call: Call, _ perform: (ConnectionView) throws -> Response
    ) throws -> Response {
        let view = try find(.id(id), call.scope())
        let form = try call.request.form()
        var input = Input(form)
        return try call.perform {
            guard let typed = input.text("confirm_name", 1...64), input.isComplete else { throw input.refusal }
            guard typed == view.record.name else {
                throw Problem.invalid(
                    "confirm_name", "not_the_name", "This is not its name, “\(view.record.name)”.")
            }
            return try perform(view)
        } orShow: { problem in
            try confirmPage(view, isRemoval: isRemoval, call, typed: form, problem: problem)
        }
    }

    // MARK: Reading forms

    /// The set-up that a form or a script asks for, merged into what is stored; refusals are noted in the input.
    ///
    /// - Throws: `Problem` 409 when what is stored cannot be opened, or its provider file is gone.
    func setUp(of stored: ConnectionView, _ input: inout Input, isForm: Bool) throws -> SetUp {
        try Self.requireReadable(stored)
        guard let provider = stored.provider else { throw Problem.withoutProvider(stored) }
        return SetUp.read(
            provider, &input, stored: stored, isForm: isForm, given: environment.fields(of: provider))
    }

    /// The name and the workspace that a form or a script asks for.
    func placingChange(_ input: inout Input, _ scope: OrganizationScope) throws -> PlacingChange {
        let name = input.parsed("name", orSay: "A name is lower-case letters, digits and hyphens, at most 64.", 1...200)
        {
            Spelling.isConnectionName($0) ? $0 : nil
        }
        let isPlaced = input.isGiven("workspace_id")
        let workspace = input.parsed("workspace_id", orSay: "This is no id of a workspace.") {
            Identifier<Workspace>($0)
        }
        if let workspace, try !workspaces(scope).contains(where: { $0.id == workspace }) {
            input.refuse("workspace_id", "unknown", "There is no such workspace.")
        }
        return PlacingChange(name: name, workspace: isPlaced ? .some(workspace) : nil)
    }

    // MARK: Pages

    private func newPage(
        _ provider: Provider, _ call: Call, typed: Form? = nil, problem: Problem? = nil
    ) throws -> ConnectionFormPage {
        let scope = try call.scope()
        return ConnectionFormPage(
            provider: provider, backHref: call.link(ConnectionRoute.gallery),
            action: call.link(ConnectionRoute.new(provider: provider.key)), workspaces: try workspaces(scope),
            guide: ProviderGuide(provider, for: nil, at: call.shell.site.base), typed: typed, problem: problem)
    }

    private func editPage(
        _ view: ConnectionView, _ call: Call, typed: Form? = nil, problem: Problem? = nil
    ) throws -> ConnectionEditPage {
        guard let provider = view.provider else { throw Problem.withoutProvider(view) }
        return ConnectionEditPage(
            view: view, provider: provider, backHref: call.link(ConnectionRoute.show(view.record.id)),
            action: call.link(ConnectionRoute.edit(view.record.id)), workspaces: try workspaces(call.scope()),
            guide: ProviderGuide(provider, for: view.record.id, at: call.shell.site.base), typed: typed,
            problem: problem)
    }

    private func confirmPage(
        _ view: ConnectionView, isRemoval: Bool, _ call: Call, typed: Form? = nil, problem: Problem? = nil
    ) throws -> ConnectionConfirmPage {
        let id = view.record.id
        return ConnectionConfirmPage(
            shown: view, isRemoval: isRemoval, backHref: call.link(ConnectionRoute.show(id)),
            action: call.link(isRemoval ? ConnectionRoute.remove(id) : ConnectionRoute.disconnect(id)),
            uses: try useLinks(of: view, call), typed: typed, problem: problem)
    }
}

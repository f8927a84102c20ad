import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TemplateKit
import TimeKit

/// Integrations as people see and change them.
extension Platforms {
    func listPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let listed = try store(scope).list()
        let counts = try store(scope).channelCounts()
        let workspaces = try neighbours.workspaces(scope)
        let names = Dictionary(workspaces.map { ($0.id, $0.name) }) { one, _ in one }
        let groups = Dictionary(grouping: listed, by: \.workspace).map { workspace, integrations in
            PlatformListPage.Group(
                name: names[workspace] ?? "Unknown workspace",
                lines: integrations.map { integration in
                    .init(
                        integration: integration, platform: registry[integration.platform],
                        channels: counts[integration.id] ?? 0,
                        href: call.link(PlatformPageRoute.show(integration.id)))
                }.sorted { ($0.platform?.name ?? "") < ($1.platform?.name ?? "") })
        }
        return try call.page(
            PlatformListPage(
                canWrite: scope.allows(.write(.connections)), newHref: call.link(PlatformPageRoute.choose),
                organizationHref: call.shell.site.mount + neighbours.organizationPath,
                hasWorkspaces: !workspaces.isEmpty,
                groups: groups.sorted { $0.name.lowercased() < $1.name.lowercased() }, now: world.now()))
    }

    func choosePage(_ call: Call) throws -> Response {
        try call.page(
            PlatformChoicePage(
                listHref: call.link(PlatformPageRoute.list),
                platforms: registry.all.map { ($0, call.link(PlatformPageRoute.create($0.key))) }))
    }

    // MARK: One integration

    func integrationPage(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.page(integrationPage(id, call, typed: nil, problem: nil))
    }

    func integrationPage(
        _ id: Identifier<PlatformIntegration>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> PlatformPage {
        let scope = try call.scope()
        var input = Input(try call.request.query())
        let search = input.optionalText("search", 1...100)
        let part = Listing<PlatformChannel>(&input)
        guard input.isComplete else { throw input.refusal }
        let integration = try find(id, scope)
        let store = channels(scope)
        let found = try store.page(of: id, search: search, after: part.last, limit: part.limit + 1)
        return PlatformPage(
            integration: integration, platform: registry[integration.platform],
            workspace: try workspaceName(integration.workspace, scope),
            canWrite: scope.allows(.write(.connections)), canSync: scope.allows(.write(.channels)),
            canPost: scope.allows(.write(.messages)), knowsPlatform: try knowsPlatform(integration) ?? true,
            links: links(integration, scope, call),
            lines: found.prefix(part.limit).map { channel in
                .init(
                    channel: channel, action: call.link(PlatformPageRoute.settings(channel.id)),
                    postHref: call.link(PlatformPageRoute.post(channel.id)))
            },
            hasChannels: try !found.isEmpty || store.count(of: id, in: database) > 0, search: search ?? "",
            firstHref: part.last == nil && search == nil ? nil : call.link(PlatformPageRoute.show(id)),
            nextHref: try call.link(PlatformPageRoute.show(id), next: part.next(found, \.id)), typed: typed,
            problem: problem, now: world.now())
    }

    private func links(
        _ integration: IntegrationRecord, _ scope: OrganizationScope, _ call: Call
    ) -> PlatformPage.Links {
        let (id, mount) = (integration.id, call.shell.site.mount)
        func link(_ route: PlatformPageRoute) -> String { call.link(route) }
        return PlatformPage.Links(
            list: link(.list), edit: link(.edit(id)), remove: link(.remove(id)), test: link(.test(id)),
            sync: link(.sync(id)), enable: link(.enable(id)), disable: link(.disable(id)),
            makeKey: link(.makeKey(id)), revokeKey: link(.revokeKey(id)), addChannel: link(.addChannel(id)),
            rotate: link(.rotate(id)), activity: mount + neighbours.activityPath,
            refusals: scope.allows(.write(.webhooks)) ? mount + neighbours.refusalsPath(id) : nil,
            inboundURL: scope.allows(.write(.connections)) ? inboundURL(integration, call) : nil)
    }

    func workspaceName(_ id: Identifier<Workspace>, _ scope: OrganizationScope) throws -> String {
        try neighbours.workspaces(scope).first { $0.id == id }?.name ?? "Unknown workspace"
    }

    // MARK: Making and changing

    func newPage(_ key: String, _ call: Call) throws -> Response {
        try call.page(newPage(key, call, typed: nil, problem: nil))
    }

    /// Makes an integration and shows its secret in the very answer, which nobody stores.
    func createIntegration(_ key: String, _ call: Call) throws -> Response {
        guard let platform = registry[key], platform.key == key else { throw Problem.notFound }
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let workspace = input.required(
                "workspace_id", input.parsed("workspace_id", orSay: "Choose a workspace.") { Identifier<Workspace>($0) }
            )
            let config = PlatformForm.config(&input, platform, over: nil)
            let isEnabled = input.truth("enabled") ?? false
            guard let workspace, input.isComplete else { throw input.refusal }
            let made = try create(
                Wanted(
                    workspace: workspace, platform: platform, platformName: platform.key, config: config,
                    isEnabled: isEnabled), by: call.scope())
            return try secretPage(made.record, made.webhookSecret, .first, call)
        } orShow: { problem in
            try newPage(key, call, typed: form, problem: problem)
        }
    }

    private func newPage(_ key: String, _ call: Call, typed: Form?, problem: Problem?) throws -> PlatformFormPage {
        guard let platform = registry[key], platform.key == key else { throw Problem.notFound }
        let scope = try call.scope()
        return PlatformFormPage(
            form: PlatformForm(
                platform: platform, stored: nil, isNew: true, isEnabled: true,
                workspaces: try neighbours.workspaces(scope), connections: try neighbours.connections(key, scope),
                typed: typed, problem: problem),
            workspace: nil, version: nil, backHref: call.link(PlatformPageRoute.choose),
            action: call.link(PlatformPageRoute.create(key)))
    }

    func secretPage(
        _ record: IntegrationRecord, _ secret: Secret<String>, _ what: PlatformSecretPage.What, _ call: Call
    ) throws -> Response {
        try call.page(
            PlatformSecretPage(
                platform: title(of: record), workspace: try workspaceName(record.workspace, call.scope()),
                secret: secret, what: what, inboundURL: inboundURL(record, call),
                showHref: call.link(PlatformPageRoute.show(record.id)))
        ).neverStored()
    }

    func editPage(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.page(editPage(id, call, typed: nil, problem: nil))
    }

    func editIntegration(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        let scope = try call.scope()
        let record = try find(id, scope)
        guard let platform = registry[record.platform] else { throw Problem.notFound }
        return try call.perform {
            var input = Input(form)
            let seen = input.number("version", 1...Int64.max)
            let stored = try config(of: record, in: database)
            let config = PlatformForm.config(&input, platform, over: stored)
            let isEnabled = input.truth("enabled") ?? false
            guard input.isComplete else { throw input.refusal }
            let isSame = config?.bytes == stored?.bytes || (config?.members.isEmpty ?? true) && stored == nil
            _ = try update(id, config: isSame ? nil : .some(config), isEnabled: isEnabled, by: scope) { now in
                guard now.version == seen ?? now.version, now.configVersion == record.configVersion else {
                    throw Problem.changedByAnother("integration")
                }
            }
            return call.redirect(to: PlatformPageRoute.show(id), saying: "\(platform.name) changed.")
        } orShow: { problem in
            try editPage(id, call, typed: form, problem: problem)
        }
    }

    private func editPage(
        _ id: Identifier<PlatformIntegration>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> PlatformFormPage {
        let scope = try call.scope()
        let record = try find(id, scope)
        guard let platform = registry[record.platform] else { throw Problem.notFound }
        return PlatformFormPage(
            form: PlatformForm(
                platform: platform, stored: try config(of: record, in: database), isNew: false,
                isEnabled: record.isEnabled, workspaces: [],
                connections: try neighbours.connections(platform.key, scope), typed: typed, problem: problem),
            workspace: try workspaceName(record.workspace, scope),
            version: problem == nil ? record.version : typed?["version"].flatMap(Int64.init) ?? record.version,
            backHref: call.link(PlatformPageRoute.show(id)), action: call.link(PlatformPageRoute.edit(id)))
    }

    // MARK: Removing

    func removePage(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.page(removePage(id, call, typed: nil, problem: nil))
    }

    func removeIntegration(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        return try call.perform {
            var input = Input(form)
            let confirmed = input.text("confirm_name", 1...200)
            guard let confirmed, input.isComplete else { throw input.refusal }
            try remove(id, by: call.scope()) { record in
                guard title(of: record) == confirmed else {
                    throw Problem.invalid(
                        "confirm_name", "not_the_name", "This is not its name, “\(title(of: record))”.")
                }
            }
            return call.redirect(to: PlatformPageRoute.list, saying: "\(confirmed) removed.")
        } orShow: { problem in
            try removePage(id, call, typed: form, problem: problem)
        }
    }

    private func removePage(
        _ id: Identifier<PlatformIntegration>, _ call: Call, typed: Form?, problem: Problem?
    ) throws -> PlatformRemovePage {
        let scope = try call.scope()
        let record = try find(id, scope)
        return PlatformRemovePage(
            platform: title(of: record), workspace: try workspaceName(record.workspace, scope),
            channels: try channels(scope).count(of: id, in: database), showHref: call.link(PlatformPageRoute.show(id)),
            action: call.link(PlatformPageRoute.remove(id)), typed: typed, problem: problem)
    }

    // MARK: Doing

    func testIntegration(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let failure = try tryOut(id, by: call.scope())
        return call.redirect(
            to: PlatformPageRoute.show(id), saying: failure ?? "It answers.", failure == nil ? .good : .bad)
    }

    func syncIntegration(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        return try orSayWhyNot(id, call) {
            "\(try sync(id, by: call.scope()).count.counted("channel", "channels")) fetched."
        }
    }

    func setEnabled(_ isEnabled: Bool, _ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let record = try update(id, isEnabled: isEnabled, by: call.scope())
        return call.redirect(
            to: PlatformPageRoute.show(id), saying: "\(title(of: record)) \(isEnabled ? "enabled" : "disabled").")
    }

    func makeKey(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let made = try makeKey(of: id, by: call.scope())
        return try secretPage(made.record, made.key.text, .key, call)
    }

    func revokeKey(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        _ = try revokeKey(of: id, by: call.scope())
        return call.redirect(to: PlatformPageRoute.show(id), saying: "The key is revoked and opens nothing any more.")
    }

    /// Leads back to the integration with what was done, or with why the platform did not do it.
    func orSayWhyNot(
        _ id: Identifier<PlatformIntegration>, _ call: Call, _ body: () throws -> String
    ) throws -> Response {
        do {
            return call.redirect(to: PlatformPageRoute.show(id), saying: try body())
        } catch let problem as Problem where problem.errors.isEmpty && [409, 502, 503].contains(problem.status.code) {
            return call.redirect(to: PlatformPageRoute.show(id), saying: problem.detail, .bad)
        }
    }
}

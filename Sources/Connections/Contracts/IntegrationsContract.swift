import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// The contract “Integrations API (MVP)”: one connection for each service, the one named `default` outside of workspaces.
///
/// Its answers are its own, member by member. Where it is silent the rest of the hub speaks: errors are problem documents,
/// ids and times have the usual form.
extension Connections {
    /// The routes of the contract and who performs them.
    public var integrationsContract: RoomRoutes {
        RoomRoutes(IntegrationsRoute.self) { route, call in
            switch route {
            case .list: try listIntegrations(call)
            case .connect(let provider): try connectIntegration(provider, call)
            case .integration(let provider): try disconnectIntegration(provider, call)
            }
        }
    }

    private func listIntegrations(_ call: Call) throws -> Response {
        let views = try defaultConnections(of: IntegrationGuide.all.map(\.provider), call.scope())
        return .json(.array(views.map(Self.integration)))
    }

    private func connectIntegration(_ key: String, _ call: Call) throws -> Response {
        let (guide, provider) = try integrationGuide(key)
        var input = try call.json()
        guard let sent = SentIntegration(guide, provider, &input) else { throw input.refusal }
        let scope = try call.scope()
        let outcome = try connect(sent, by: scope)
        let view = try find(.id(outcome.id), scope)
        let needed = sent.missingForTest.map { "extra.\($0)" }.joined(separator: ", ")
        let message = outcome.wasActive ? "Updated" : "Connected"
        return .json(
            [
                "status": "ok", "ok": true,
                "message": .string(needed.isEmpty ? message : "\(message). A test message also needs \(needed)."),
                "integration": Self.integration(view),
            ], status: outcome.isNew ? 201 : 200)
    }

    /// Drops the token and keeps everything else, so that connecting again finds it as it was.
    private func disconnectIntegration(_ key: String, _ call: Call) throws -> Response {
        let (guide, _) = try integrationGuide(key)
        let scope = try call.scope()
        guard let view = try defaultConnections(of: [guide.provider], scope).first else {
            throw Problem(404, "not_configured", "This service is not connected.")
        }
        try disconnect(view.record.id, by: scope)
        return .json(["status": "ok", "ok": true, "message": "Disconnected"])
    }

    private func integrationGuide(_ key: String) throws(Problem) -> (IntegrationGuide, Provider) {
        guard let guide = IntegrationGuide(key), let provider = catalogue[key] else {
            let known = IntegrationGuide.all.map(\.provider).joined(separator: ", ")
            throw Problem(404, "unsupported_provider", "Unsupported provider. This contract knows \(known).")
        }
        return (guide, provider)
    }

    /// A connection as the contract shows it.
    static func integration(_ view: ConnectionView) -> JSON {
        [
            "provider": .string(view.record.provider), "is_active": .bool(view.isActive), "extra": view.extra,
            "created_at": JSON(view.record.createdAt), "updated_at": JSON(view.record.updatedAt),
        ]
    }

    /// The connections named `default` of some services, those outside of workspaces.
    func defaultConnections(
        of providers: [String], _ scope: OrganizationScope
    ) throws -> [ConnectionView] {
        try store(scope).defaults(of: providers).map { try view($0, scope, in: database) }
    }

    // MARK: Storing

    /// What connecting did.
    private struct Connected {
        let id: Identifier<Connection>
        let isNew: Bool
        let wasActive: Bool
    }

    /// Stores token and `extra` over what was there, and switches the connection on.
    private func connect(_ sent: SentIntegration, by scope: OrganizationScope) throws -> Connected {
        try database.transaction { transaction in
            let name = ConnectionName.defaultName
            let holder = try store(scope).holder(
                provider: sent.provider.key, name: name, workspace: nil, in: transaction)
            let old = try holder.map { try locked($0, scope, in: transaction) }
            if let old { try Self.requireReadable(old) }
            let id = holder ?? Identifier<Connection>(world)
            try keep(sent, id, over: old, by: scope, in: transaction)
            try keepTokens(sent, id, by: scope, in: transaction)
            try audit.record(
                "connection.connected", .init("connection", id, name: "\(sent.provider.name) “\(name)”"),
                details: ["provider": .string(sent.provider.key), "token": .string(sent.token.redacted)], by: scope,
                in: transaction)
            if old?.isActive != true {
                try publish(.connectionConnected, locked(id, scope, in: transaction), scope, in: transaction)
            }
            return Connected(id: id, isNew: old == nil, wasActive: old?.isActive ?? false)
        }
    }

    private func keep(
        _ sent: SentIntegration, _ id: Identifier<Connection>, over old: ConnectionView?, by scope: OrganizationScope,
        in transaction: Transaction
    ) throws {
        let setUp = sent.setUp(over: old)
        let sealed = try seal(setUp, id, scope, in: transaction)
        let (name, key) = (ConnectionName.defaultName, sent.provider.key)
        guard old != nil else {
            try store(scope).insert(
                id, provider: key, name: name, workspace: nil, setup: setUp.openJSON, sealedSecrets: sealed,
                in: transaction)
            return
        }
        try store(scope).update(
            id, name: name, workspace: nil, setup: setUp.openJSON, sealedSecrets: sealed, keeping: .nothing,
            in: transaction)
        try store(scope).setEnabled(true, of: id, in: transaction)
    }

    /// Tokens of an earlier sign-in give way. They are not revoked: nobody says whose the new one is, and where one call ends
    /// all that a person granted it may end along. What can be renewed stands where a sign-in would put it, and so does an
    /// access token of a service that has no field for a pasted one.
    private func keepTokens(
        _ sent: SentIntegration, _ id: Identifier<Connection>, by scope: OrganizationScope, in transaction: Transaction
    ) throws {
        guard sent.provider.oauth != nil else { return }
        guard sent.pastedField == nil else { return try store(scope).forgetGrant(id, in: transaction) }
        let tokens = Tokens(access: sent.token.reveal { $0 }, refresh: sent.refreshToken?.reveal { $0 })
        let sealed = try vault.seal(tokens.bytes, at: Tokens.place(id), for: scope.organization, in: transaction)
        try store(scope).storeGrant(
            id, sealedTokens: sealed, times: GrantTimes(expiresAt: nil, refreshDueAt: nil, endsAt: nil), requested: [],
            granted: nil, metadata: "{}", status: .disconnected, detail: nil,
            grantKey: locked(id, scope, in: transaction).keyOfUnknownGrant, in: transaction)
    }
}

extension SentIntegration {
    /// The set-up that is stored: what was sent takes the place of every value that `extra` shows; what is sealed besides
    /// the token, and the hub's own name at the service, stay unless they were sent.
    fileprivate func setUp(over old: ConnectionView?) -> SetUp {
        let kept = old.map { SetUp(keeping: $0) } ?? SetUp(open: [:], secrets: [:])
        let staying = kept.open.filter { name, _ in provider.field(name).map { !$0.isExtra } ?? false }
        var open = staying.merging(setUp.open) { $1 }
        if extra.members?.isEmpty == false { open[SetUp.extraName] = extra.stored }
        var secrets = kept.secrets.merging(setUp.secrets) { $1 }
        if let own = provider.oauth?.ownToken { secrets[own] = nil }
        if let pastedField { secrets[pastedField] = token.reveal { $0 } }
        return SetUp(open: open, secrets: secrets)
    }
}

extension SentIntegration {
    /// The field that the token is kept in; nil where it is kept as a sign-in would.
    fileprivate var pastedField: String? {
        guide.tokenField ?? (refreshToken == nil ? provider.oauth?.ownToken : nil)
    }
}

extension SetUp {
    /// Where `extra` is kept as it was sent: no field of a provider file can have this name.
    static let extraName = "~extra"
}

extension ConnectionView {
    /// Whether it is switched on and has what it needs to be used: credentials, or a service that was found to do without,
    /// as a mail server in a network of one's own may.
    var isActive: Bool {
        guard provider != nil, (try? Connections.requireUsable(self)) != nil else { return false }
        return credential != nil || record.storedStatus == .connected || record.storedStatus == .expiring
    }

    /// What the contract shows of the set-up: what was sent, as it was sent, and what was changed since.
    var extra: JSON {
        let sent = record.setup[SetUp.extraName]?.text.flatMap { try? JSON(parsing: Array($0.utf8)) }?.members ?? []
        let fields = (provider?.fields ?? []).filter(\.isExtra)
        let kept = sent.compactMap { member -> JSON.Member? in
            guard fields.contains(where: { $0.name == member.name }) else { return member }
            return record.setup[member.name]?.text.map { now in
                member.value.plainText == now ? member : JSON.Member(member.name, .string(now))
            }
        }
        let others = fields.filter { field in !sent.contains { $0.name == field.name } }
        return .object(
            kept
                + others.compactMap { field in
                    record.setup[field.name]?.text.map { JSON.Member(field.name, field.json($0)) }
                })
    }
}

extension Secret<String> {
    /// The last four characters of a long secret, as the audit log may have it.
    var redacted: String { reveal { $0.utf8.count >= 20 ? "***\($0.suffix(4))" : "***" } }
}

extension ConnectionStore {
    /// The connections named `default` of some services that belong to no workspace, in the order of the services' keys.
    fileprivate func defaults(of providers: [String]) throws -> [ConnectionRecord] {
        try database.rows(
            """
            SELECT \(Self.columns)
              FROM connections c
             WHERE c.organization_id = \(scope.organization) AND c.place = \([UInt8](repeating: 0, count: 16))
                   AND c.provider IN (\(list: providers)) AND c.name = \(ConnectionName.defaultName)
             ORDER BY c.provider
             LIMIT 100
            """
        ).map(ConnectionRecord.init)
    }
}

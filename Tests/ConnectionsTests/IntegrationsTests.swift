import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

/// The functions of PhoenixKit's `Integrations`, each test named after one.
@Suite(.timeLimit(.minutes(15))) struct IntegrationsFunctions {
    let office: Office
    let integrations: Integrations

    init() throws {
        office = try Office { request in
            request.contains("refused")
                ? StandIn.json(401, #"{"ok":false,"description":"Unauthorized"}"#) : StandIn.telegram
        }
        integrations = office.room.integrations(office.house.commandLine(office.organization))
    }

    private var token: [String: String] { ["bot_token": Office.token] }

    @Test("settings_key")
    func settingsKey() throws {
        #expect(try Integrations.settingsKey("google") == "integration:google:default")
        #expect(try Integrations.settingsKey("google:personal") == "integration:google:personal")
        for name in ["", ":x", "google:", "google:a:b", "Google", "google:Ä", "../x", "google: x"] {
            #expect(throws: IntegrationsError.invalidProviderKey, "\(name)") { try Integrations.settingsKey(name) }
        }
    }

    @Test("list_providers")
    func listProviders() {
        let keys = Set(integrations.listProviders().map(\.key))
        #expect(keys.isSuperset(of: ["telegram", "google", "aws", "smtp", "openrouter", "sendgrid"]))
    }

    @Test("list_integrations")
    func listIntegrations() throws {
        #expect(try integrations.listIntegrations().isEmpty)
        try integrations.saveSetup("telegram:alerts", token)
        try integrations.saveSetup("telegram", token)
        try integrations.saveSetup("openrouter", ["api_key": "sk-or-abcdefghijklmnop"])
        #expect(
            try integrations.listIntegrations().map { "\($0.provider):\($0.name)" }
                == ["openrouter:default", "telegram:default", "telegram:alerts"])
        let other = try office.house.organization("Other")
        try Office.prepare(other, office.house, office.ring)
        #expect(try office.room.integrations(office.house.commandLine(other)).listIntegrations().isEmpty)
    }

    @Test("list_connections")
    func listConnections() throws {
        for name in ["zeta", "default", "alpha"] { try integrations.addConnection("telegram", name) }
        let found = try integrations.listConnections("telegram")
        #expect(found.map(\.name) == ["default", "alpha", "zeta"])
        #expect(found.allSatisfy { $0.authType == "bot_token" && $0.status == .disconnected })
        #expect(try integrations.listConnections("google").isEmpty && integrations.listConnections("\u{e4}").isEmpty)
    }

    @Test("load_all_connections, for thirty providers, is one statement")
    func loadAllConnections() throws {
        let house = try House(connections: 1)
        let organization = try house.organization()
        try Office.prepare(organization, house, office.ring)
        let integrations = try Office.room(house, office.ring).integrations(house.commandLine(organization))
        try integrations.saveSetup("telegram", token)
        try integrations.saveSetup("telegram:alerts", token)
        try integrations.saveSetup("openrouter", ["api_key": "sk-or-abcdefghijklmnop"])
        let providers = (integrations.listProviders().map(\.key) + (0..<30).map { "other-\($0)" }).prefix(30)
        let before = try statements(house.database)
        let found = try integrations.loadAllConnections(Array(providers) + ["telegram", "openrouter"])
        // The second count counts itself.
        #expect(try statements(house.database) - before == 2)
        #expect(found["telegram"]?.map(\.name) == ["default", "alerts"] && found["openrouter"]?.count == 1)
        #expect(found.keys.count >= 30 && found["aws"]?.isEmpty == true)
        #expect(try integrations.loadAllConnections([]).isEmpty)
    }

    /// How many statements the one connection of a database has executed.
    private func statements(_ database: Database) throws -> Int {
        let row = try #require(
            try database.row(
                "SELECT CAST(VARIABLE_VALUE AS SIGNED) AS n FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'COM_STMT_EXECUTE'"
            ))
        return try row.get("n")
    }

    @Test("get_integration")
    func getIntegration() throws {
        try integrations.saveSetup("telegram:alerts", ["bot_token": Office.token, "chat_id": "5"])
        let found = try integrations.getIntegration("telegram:alerts")
        #expect(found.setUp == ["chat_id": "5"] && found.provider == "telegram" && found.name == "alerts")
        #expect(try integrations.getIntegration(found.id.text).id == found.id)
        #expect(throws: IntegrationsError.notConfigured) { try integrations.getIntegration("telegram") }
        #expect(throws: IntegrationsError.notConfigured) { try integrations.getIntegration("google:none") }
        #expect(throws: IntegrationsError.invalidProviderKey) { try integrations.getIntegration("no such!") }
        try integrations.removeConnection("telegram", "alerts")
        #expect(throws: IntegrationsError.deleted) { try integrations.getIntegration(found.id.text) }
        for (name, code) in [
            ("telegram", "not_configured"), (found.id.text, "deleted"), ("no%20such!", "invalid_provider_key"),
            (Identifier<Connection>(office.house.world).text, "not_configured"),
        ] {
            let (response, body) = try office.json(.get, "connections/\(name)")
            #expect(response.status == 404 && body["code"]?.text == code, "\(name)")
        }
    }

    @Test("get_credentials")
    func getCredentials() throws {
        let id = try integrations.saveSetup("telegram:alerts", token).id
        #expect(try integrations.getCredentials("telegram:alerts").reveal { $0 } == token)
        #expect(try integrations.getCredentials(id.text).reveal { $0 } == token)
        #expect(try office.house.auditedActions().filter { $0 == "credentials.read" }.count == 2)
        #expect(throws: IntegrationsError.notConfigured) { try integrations.getCredentials("google") }
        try integrations.addConnection("telegram", "empty")
        #expect(throws: IntegrationsError.notConfigured) { try integrations.getCredentials("telegram:empty") }
        try integrations.removeConnection("telegram", "alerts")
        #expect(throws: IntegrationsError.deleted) { try integrations.getCredentials(id.text) }
    }

    @Test("save_setup")
    func saveSetup() throws {
        let made = try integrations.saveSetup("telegram", token)
        #expect(made.status == .disconnected)
        let merged = try integrations.saveSetup("telegram", ["chat_id": "@acme"])
        #expect(merged.id == made.id && merged.setUp == ["chat_id": "@acme"])
        #expect(try integrations.getCredentials("telegram").reveal { $0 }["bot_token"] == Office.token)
        #expect {
            try integrations.saveSetup("telegram", ["bot_token": "short", "colour": "red"])
        } throws: { error in
            guard case IntegrationsError.refused(let problem) = error else { return false }
            return problem.errors.map(\.field) == ["setup.bot_token", "setup.colour"]
        }
        #expect { try integrations.saveSetup("nothing", [:]) } throws: {
            ($0 as? IntegrationsError)?.code == "unknown_provider"
        }
    }

    @Test("add_connection")
    func addConnection() throws {
        let made = try integrations.addConnection("telegram", "company-drive")
        #expect(made.name == "company-drive" && made.status == .disconnected)
        #expect { try integrations.addConnection("telegram", "company-drive") } throws: {
            ($0 as? IntegrationsError)?.code == "name_taken"
        }
        for name in ["", "a b", "Ä", "x:y"] {
            #expect(throws: IntegrationsError.invalidProviderKey) { try integrations.addConnection("telegram", name) }
        }
        #expect { try integrations.addConnection("nothing", "x") } throws: {
            ($0 as? IntegrationsError)?.code == "unknown_provider"
        }
    }

    @Test("remove_connection")
    func removeConnection() throws {
        try integrations.saveSetup("telegram", token)
        try integrations.saveSetup("telegram:alerts", token)
        try integrations.removeConnection("telegram", "alerts")
        #expect { try integrations.removeConnection("telegram", "default") } throws: {
            ($0 as? IntegrationsError)?.code == "default_connection"
        }
        #expect(throws: IntegrationsError.notConfigured) { try integrations.removeConnection("telegram", "alerts") }
        #expect(try integrations.listIntegrations().map(\.name) == ["default"])
    }

    @Test("disconnect")
    func disconnect() throws {
        try integrations.saveSetup("telegram", ["bot_token": Office.token, "chat_id": "5"])
        try integrations.disconnect("telegram")
        #expect(!integrations.connected("telegram"))
        #expect(try integrations.getIntegration("telegram").setUp == ["chat_id": "5"])
        try integrations.disconnect("telegram")
        try integrations.disconnect("google")
        #expect(throws: IntegrationsError.invalidProviderKey) { try integrations.disconnect("no such!") }
    }

    @Test("connected?")
    func connected() throws {
        #expect(!integrations.connected("telegram") && !integrations.connected("no such!"))
        let id = try integrations.addConnection("telegram", "default").id
        #expect(!integrations.connected("telegram"))
        try integrations.saveSetup("telegram", token)
        #expect(integrations.connected("telegram") && integrations.connected(id.text))
        try office.room.setEnabled(false, id, by: integrations.scope)
        #expect(!integrations.connected("telegram"))
    }

    private static let ways: [(String, [String: String])] = [
        ("smtp", ["host": "mail.example", "from_email": "a@b.example", "username": "ana", "password": "secret"]),
        ("n8n", ["base_url": "https://n8n.example", "api_key": "0123456789abcdef"]),
        ("make", ["api_token": "01234567-0123-0123-0123-0123456789ab"]),
        (
            "twilio",
            [
                "account_sid": "AC01234567890123456789012345678901",
                "api_key_sid": "SK01234567890123456789012345678901",
                "api_key_secret": "01234567890123456789012345678901",
            ]
        ),
        ("discord", ["webhook_url": "https://discord.com/api/webhooks/123456789012345678/abc"]),
        ("microsoft_teams", ["webhook_url": "https://a.environment.api.powerplatform.com/x", "tenant_id": "common"]),
    ]

    @Test(
        "connected? and get_credentials know every way in which a service can be connected",
        arguments: IntegrationsFunctions.ways)
    func everyWay(_ provider: String, _ values: [String: String]) throws {
        try integrations.saveSetup(provider, values)
        #expect(integrations.connected(provider))
        let lent = try integrations.getCredentials(provider).reveal { $0 }
        #expect(values.allSatisfy { lent[$0.key] == $0.value })
        try integrations.recordValidation(provider, failure: "It was refused.")
        #expect(!integrations.connected(provider))
        #expect(try integrations.getCredentials(provider).reveal { $0 } == lent)
        try integrations.recordValidation(provider, failure: nil)
        #expect(integrations.connected(provider))
        try integrations.disconnect(provider)
        #expect(!integrations.connected(provider))
        #expect(throws: IntegrationsError.notConfigured) { try integrations.getCredentials(provider) }
    }

    @Test("save_setup makes a connection without a client of its own where the hub's settings give one")
    func clientOfTheHub() throws {
        let office = try Office(variables: ["GOOGLE_CLIENT_ID": "of-the-hub", "GOOGLE_CLIENT_SECRET": "secret"])
        let integrations = office.room.integrations(office.house.commandLine(office.organization))
        #expect(try integrations.saveSetup("google", [:]).status == .disconnected)
    }

    @Test("record_validation writes nothing of a connection that works and will end soon, as is known")
    func stillExpiring() throws {
        let acme = try SignedIn()
        let integrations = acme.room.integrations(acme.scope)
        let view = try acme.connect()
        let end = acme.house.world.now() + .days(2)
        try acme.house.database.execute(
            "UPDATE connections SET grant_ends_at = \(end), authorized_at = \(end - .days(60))")
        try integrations.recordValidation("acme", failure: nil)
        #expect(try acme.view(view).status == .expiring)
        let checks = "SELECT COUNT(*) AS n FROM connection_checks"
        let before = try acme.house.database.row("\(unescaped: checks)")?.get("n", as: Int.self)
        try integrations.recordValidation("acme", failure: nil)
        let after = try acme.house.database.row("\(unescaped: checks)")?.get("n", as: Int.self)
        #expect(before == 1 && after == before)
    }

    @Test("validate_connection")
    func validateConnection() throws {
        try integrations.saveSetup("telegram", token)
        try integrations.validateConnection("telegram")
        #expect(try integrations.getIntegration("telegram").status == .connected)
        office.house.pass(.seconds(5))
        try integrations.saveSetup("telegram", ["bot_token": "123456:ABC-DEF1234ghIkl-refused-refused"])
        #expect { try integrations.validateConnection("telegram") } throws: {
            guard case IntegrationsError.invalid(let reason) = $0 else { return false }
            return reason.contains("Unauthorized") && !reason.contains("ABC-DEF")
        }
        #expect(try integrations.getIntegration("telegram").status == .error)
        #expect(throws: IntegrationsError.notConfigured) { try integrations.validateConnection("google") }
    }

    @Test("record_validation writes and tells only when something has changed")
    func recordValidation() throws {
        try integrations.saveSetup("telegram", token)
        func state() throws -> String {
            let row = try #require(
                try office.house.database.row(
                    "SELECT CONCAT_WS('|', status, status_detail, version, tested_at) AS s FROM connections"))
            return try row.get("s")
        }
        try integrations.recordValidation("telegram", failure: "Token refresh failed (HTTP 400)")
        let failed = try integrations.getIntegration("telegram")
        #expect(failed.status == .error && failed.validationStatus == "Token refresh failed (HTTP 400)")
        let (before, told) = (try state(), try office.house.auditedActions().count)
        office.house.pass(.minutes(1))
        try integrations.recordValidation("telegram", failure: "Token refresh failed (HTTP 400)")
        #expect(try state() == before && office.house.auditedActions().count == told)
        try integrations.recordValidation("telegram", failure: nil)
        #expect(try integrations.getIntegration("telegram").status == .connected)
        #expect(try office.house.auditedActions().count == told + 1)
    }

    @Test("refresh_access_token")
    func refreshAccessToken() throws {
        let acme = try SignedIn()
        let integrations = acme.room.integrations(acme.scope)
        _ = try acme.connect()
        #expect(try integrations.refreshAccessToken("acme").reveal { $0 } == "access-1")
        #expect(try integrations.getCredentials("acme").reveal { $0 }["access_token"] == "access-1")
        _ = try acme.connect("fixed", refresh: nil)
        #expect { try integrations.refreshAccessToken("acme:fixed") } throws: {
            ($0 as? IntegrationsError)?.code == "not_refreshable"
        }
        #expect(throws: IntegrationsError.notConfigured) { try integrations.refreshAccessToken("acme:none") }
        #expect(throws: IntegrationsError.invalidProviderKey) { try integrations.refreshAccessToken("!") }
    }

    @Test("authenticated_request, repeated once with a renewed token when it is refused")
    func authenticatedRequest() throws {
        let proxy =
            #", "proxy": {"base": "https://auth.example", "auth": {"kind": "bearer", "token": "{access_token}"}}"#
        let acme = try SignedIn(SignedIn.provider(more: proxy))
        let integrations = acme.room.integrations(acme.scope)
        _ = try acme.connect()
        acme.service.set { $0.access = [] }
        let answer = try integrations.authenticatedRequest("acme", .get, "/me")
        var body: [UInt8] = []
        try answer.forEachPiece { body += $0 }
        #expect(answer.status == 200 && String(decoding: body, as: UTF8.self) == #"{"email":"ana@acme.example"}"#)
        #expect(acme.service.refreshes == 1)
        #expect(throws: IntegrationsError.notConfigured) {
            try integrations.authenticatedRequest("acme:none", .get, "/me")
        }
    }

    @Test("run_legacy_migrations")
    func runLegacyMigrations() throws {
        let row = #"{"key":"integration:telegram","value_json":{"bot_token":"\#(Office.token)"}}"#
        let how = LegacyImport(.phoenixkit, keys: try .init())
        #expect(try integrations.runLegacyMigrations(Array(row.utf8), how).map(\.kind) == [.imported])
        #expect(try integrations.runLegacyMigrations(Array(row.utf8), how).map(\.kind) == [.unchanged])
        #expect(integrations.connected("telegram"))
        #expect { try integrations.runLegacyMigrations(Array("[".utf8), how) } throws: {
            ($0 as? IntegrationsError)?.code == "invalid"
        }
    }
}

import APIKeys
import Accounts
import AdminShell
import Audit
import CipherKit
import ClientKit
import Connections
import DatabaseKit
import Domain
import FoundationEssentials
import Inbound
import LogKit
import OAuthServer
import Operations
import Platforms
import RequestLogs
import SiteTokens
import TemplateKit
import Webhooks

/// `hub doctor`: every setting with its source, then every check with what to do about it.
func doctor(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let settings = try Settings()
    for setting in Setting.allCases {
        let entry = settings[setting]
        print(
            "\(setting.rawValue)=\(setting.isSecret ? hidden(entry?.text) : entry?.text ?? "")\t(\(entry?.source ?? "not set"))"
        )
    }
    for (name, source) in settings.serviceSources { print("\(name)=<secret>\t(\(source))") }
    print("")
    var examination = Examination()
    examination.run(settings)
    return examination.isHealthy ? 0 : 1
}

private func hidden(_ text: String?) -> String {
    text.map { text in (try? DatabaseURL(text)).map { "\($0)" } ?? "<secret>" } ?? ""
}

extension Setting {
    /// Whether its text may hold a password.
    var isSecret: Bool { self == .databaseURL }
}

/// A walk through everything that can be wrong.
struct Examination {
    private(set) var isHealthy = true

    mutating func run(_ settings: Settings) {
        guard let configuration = check("settings", { try Configuration(settings) }) else { return }
        check("lanes") { try configuration.requireFreeLanes() }
        warnings(configuration)
        if let lines = configuration.trustedProxies.nginxLines { print("note     nginx's http { } must say: \(lines)") }
        let ring = check("key ring") { try KeyRing.load(path: configuration.keyringPath) }
        check("providers") { try configuration.catalogue().providers.count }
        if let demands = configuration.siteTokens { siteTokens(demands, configuration) }
        check("templates and pages") { try Self.renderAll(configuration) }
        let database = configuration.database()
        guard
            check("database", { try database.row("SELECT VERSION() AS version")?.get("version", as: String.self) })
                != nil
        else { return }
        for sentence in (try? ConnectionBudget(configuration, database).warnings) ?? [] {
            print("warning  \(sentence)")
        }
        check("schema") { try Self.requireKnownSchema(configuration) }
        check("durability", isNeeded: false) { try Self.requireDurability(database) }
        if let ring { check("encryption keys") { try Self.requireKeys(ring, database) } }
    }

    /// Runs one check, and says in one line how it went.
    ///
    /// - Parameter isNeeded: whether anything is wrong when it fails; else that is a warning.
    @discardableResult
    private mutating func check<Result>(
        _ name: String, isNeeded: Bool = true, _ body: () throws -> Result
    ) -> Result? {
        do {
            let result = try body()
            print("ok       \(name)")
            return result
        } catch {
            if isNeeded { isHealthy = false }
            print("\(isNeeded ? "wrong  " : "warning")  \(name): \(error)")
            return nil
        }
    }

    /// The keys of the existing site: that they can be had, and that none of them is dangerous.
    private mutating func siteTokens(_ demands: SiteTokenDemands, _ configuration: Configuration) {
        let client = Client(policy: configuration.addressPolicy, origins: configuration.origins, version: version)
        check("keys of the site") {
            let report = try demands.keys.examine(with: client)
            for skipped in report.skipped { print("warning  HUB_JWT_JWKS: key \(skipped)") }
            for sentence in report.warnings { print("warning  HUB_JWT_JWKS: \(sentence)") }
            guard report.usable > 0 else { throw CommandError("none of the keys can be used.") }
        }
    }

    private func warnings(_ configuration: Configuration) {
        for sentence in configuration.warnings { print("warning  \(sentence)") }
    }

    private static func renderAll(_ configuration: Configuration) throws {
        let library = try configuration.library()
        try library.check()
        for page in House.pages { _ = try library.renderSample(of: page) }
    }

    private static func requireKnownSchema(_ configuration: Configuration) throws {
        if let complaint = try Schema.migrator(configuration.databaseURL, log: configuration.log).state().complaint {
            throw CommandError(complaint)
        }
    }

    /// A server that answers before a change is on disk loses it with the power.
    private static func requireDurability(_ database: Database) throws {
        let row = try database.row(
            "SELECT @@innodb_flush_log_at_trx_commit AS flushes, @@sync_binlog AS binlog, @@log_bin AS is_logging")
        guard let row, try row.get("flushes", as: Int.self) == 1 else {
            throw CommandError(
                "innodb_flush_log_at_trx_commit is not 1: the server may lose the last second when it crashes.")
        }
        guard try row.get("is_logging", as: Int.self) == 0 || row.get("binlog", as: Int.self) == 1 else {
            throw CommandError(
                "sync_binlog is not 1: replicas may miss what was committed last when the server crashes.")
        }
    }

    private static func requireKeys(_ ring: KeyRing, _ database: Database) throws {
        let missing = try Vault(ring: ring, world: .real).missingMasterKeys(in: database)
        guard missing.isEmpty else {
            let names = missing.map(\.description).joined(separator: ", ")
            throw CommandError(
                "the key ring lacks master key \(names); what it wraps shows as undecryptable until it is back.")
        }
    }
}

extension Configuration {
    /// What works, but should not stay so.
    var warnings: [String] {
        var found: [String] = []
        if !origins.isEmpty {
            found.append("HUB_ORIGIN_MAP is set: calls to \(origins.targets.count) origins of providers go elsewhere.")
        }
        if !site.isSecure, !site.origin.hasPrefix("http://127.0.0.1"), !site.origin.hasPrefix("http://localhost") {
            found.append("HUB_PUBLIC_URL is http: passwords and cookies cross the network in clear.")
        }
        if let demands = siteTokens, demands.settings.audiences.isEmpty {
            found.append(
                "HUB_JWT_AUDIENCE is not set: a token that the site made for somebody else without aud counts here.")
        }
        if siteTokens?.settings.allowsAdmin == true {
            found.append("HUB_JWT_ALLOW_ADMIN is yes: whoever can have the site sign a token can do everything here.")
        }
        if passwordParameters.logN < 17 {
            found.append("HUB_SCRYPT_LN is below 17: passwords are cheaper to guess from a stolen database.")
        }
        let files = FileManager.default
        let isGateShut = !files.isReadableFile(atPath: gateFolder) || !files.isWritableFile(atPath: gateFolder)
        if files.fileExists(atPath: gateFolder), isGateShut {
            found.append("HUB_GATE_FOLDER: nothing can be read or removed in \(gateFolder), so the gate has no log.")
        }
        if settings[.assets]?.text.isEmpty != false {
            found.append("HUB_ASSETS is not set: browsers may keep old stylesheets after an update.")
        }
        return found
    }
}

extension House {
    /// Every page of the house.
    static let pages: [any ShellPage.Type] =
        ShellPages.all + Accounts.pages + Connections.pages + APIKeys.pages + Webhooks.pages + Platforms.pages
        + OAuthServer.pages
        + Inbound.pages + Audit.pages + RequestLogs.pages + Operations.pages
}

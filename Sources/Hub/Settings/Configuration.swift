import Accounts
import AddressKit
import AdminShell
import CipherKit
import ClientKit
import Connections
import DatabaseKit
import FoundationEssentials
import HTTPKit
import LogKit
import OAuthServer
import ProcessKit
import RequestLogs
import TimeKit
import Webhooks

/// The settings, read into the types that the house is made of.
struct Configuration: Sendable {
    let settings: Settings
    let site: Site
    let databaseURL: DatabaseURL
    let databaseConnections: Int
    let keyringPath: String
    let stateFolder: String
    let gateFolder: String
    let trustedProxies: TrustedProxies
    let workers: Int
    let lanes: Int
    /// Whether lanes interrupt nobody when they are woken.
    let isBatchScheduled: Bool
    let bodyLimit: Int
    let proxyUploadLimit: Int
    let proxyDownloadLimit: Int
    let patience: Plan.Patience
    let passwordParameters: Password.Parameters
    let scryptSlots: Int
    let limitSubjects: Int
    let sessions: Accounts.Settings
    let addressPolicy: AddressPolicy
    let origins: OriginMap
    let returnAddresses: ReturnAddresses
    let requestLogs: RequestLogs.Settings
    let webhooks: Webhooks.Settings
    let oauth: OAuthServer.Settings
    let crossOrigin: CrossOrigin
    let siteTokens: SiteTokenDemands?
    let logLevel: LogLevel

    /// Reads every setting but those of the supervisor's socket.
    init(_ settings: Settings) throws {
        self.settings = settings
        site = try Self.site(settings)
        do throws(InvalidDatabaseURL) {
            databaseURL = try DatabaseURL(Self.text(settings, .databaseURL))
        } catch {
            throw settings.complaint(.databaseURL, "is wrong: \(error)")
        }
        databaseConnections = try settings.number(.databaseConnections, 1...256)
        keyringPath = try settings.text(.keyring)
        stateFolder = try settings.text(.state)
        gateFolder = try Self.gateFolder(settings)
        trustedProxies = try Self.trustedProxies(settings)
        workers = try settings.number(.workers, 1...128)
        lanes = try settings.number(.lanes, 1...128)
        isBatchScheduled = try settings.truth(.batchScheduling)
        bodyLimit = try settings.number(.bodyLimit, 1_024...67_108_864)
        proxyUploadLimit = try settings.number(.proxyUploadLimit, 1_024...1_099_511_627_776)
        proxyDownloadLimit = try settings.number(.proxyDownloadLimit, 1_024...1_099_511_627_776)
        patience = try Self.patience(settings)
        let logN = try settings.number(.scryptLogN, 10...20)
        passwordParameters = Password.Parameters(logN: logN, blockSize: 8, parallelism: 1) ?? .standard
        scryptSlots = try settings.number(.scryptSlots, 1...64)
        limitSubjects = try settings.number(.limitSubjects, 64...16_777_216)
        sessions = Accounts.Settings(
            idle: .minutes(try settings.number(.sessionIdleMinutes, 1...1_440)),
            absolute: .hours(try settings.number(.sessionHours, 1...720)))
        addressPolicy = try Self.policy(settings)
        origins = try Self.origins(settings)
        returnAddresses = try Self.returnAddresses(settings)
        requestLogs = RequestLogs.Settings(
            logDays: try settings.number(.requestLogDays, 1...3_650),
            minuteDays: try settings.number(.usageMinuteDays, 1...31),
            hourDays: try settings.number(.usageHourDays, 1...1_095),
            dayDays: try settings.number(.usageDayDays, 1...3_650))
        webhooks = try Self.webhooks(settings, lanes: lanes)
        oauth = try OAuthServer.Settings(settings)
        guard let crossOrigin = CrossOrigin(listed: Self.text(settings, .corsOrigins)) else {
            throw settings.complaint(
                .corsOrigins,
                "must be origins such as https://app.example in lower case, separated by commas, and never *")
        }
        self.crossOrigin = crossOrigin
        siteTokens = try SiteTokenDemands(settings)
        guard let level = LogLevel(rawValue: try settings.text(.logLevel)) else {
            throw settings.complaint(.logLevel, "must be debug, info, warning or error")
        }
        logLevel = level
    }

    /// The log of this process.
    var log: Log { Log(threshold: logLevel) }

    /// An idle kept connection occupies a lane; with as many kept connections as lanes nobody could be served.
    func requireFreeLanes() throws(SettingsError) {
        let kept = try settings.number(.keepalive, 0...100_000)
        guard workers * lanes > kept else {
            throw settings.complaint(
                .keepalive,
                "says that nginx keeps \(kept) connections, but there are only \(workers * lanes) lanes; raise HUB_LANES or HUB_WORKERS"
            )
        }
    }

    private static func webhooks(_ settings: Settings, lanes: Int) throws -> Webhooks.Settings {
        guard let retries = RetryProfile(try settings.text(.webhookRetry)) else {
            throw settings.complaint(
                .webhookRetry, "must be standard, short, or up to thirty numbers of seconds separated by commas")
        }
        var webhooks = Webhooks.Settings()
        webhooks.retries = retries
        webhooks.timeout = .seconds(try settings.number(.webhookTimeout, 1...45))
        webhooks.allowsHTTP = try settings.truth(.webhookAllowHTTP)
        webhooks.maxPerUser = try settings.number(.maxWebhooksPerUser, 1...10_000)
        webhooks.atOnce = try settings.number(.deliveriesAtOnce, 1...4_096)
        webhooks.atOncePerReceiver = try settings.number(.deliveriesPerReceiver, 1...4_096)
        webhooks.eventDays = try settings.number(.eventDays, 1...3_650)
        // Half of the lanes may wait for providers; of the others half are left for everything else.
        webhooks.testsAtOnce = max(1, lanes / 4)
        return webhooks
    }

    private static func text(_ settings: Settings, _ setting: Setting) -> String { settings[setting]?.text ?? "" }

    /// Where the hub stands, which can be said without anything else being in order.
    static func site(_ settings: Settings) throws -> Site {
        let assets = try Assets.names(in: settings.text(.assets))
        guard
            let site = Site(
                publicURL: try settings.text(.publicURL), name: try settings.text(.siteName), assets: assets)
        else { throw settings.complaint(.publicURL, "must be http:// or https://, a host, and perhaps a path") }
        return site
    }

    private static func patience(_ settings: Settings) throws(SettingsError) -> Plan.Patience {
        var patience = Plan.Patience()
        patience.request = .seconds(try settings.number(.requestDeadline, 5...3_600))
        patience.drain = .seconds(try settings.number(.drainDeadline, 1...3_600))
        patience.boot = .seconds(try settings.number(.bootDeadline, 1...600))
        return patience
    }

    /// nginx takes a path for one below its own folder unless it is whole; both sides are to mean the same.
    private static func gateFolder(_ settings: Settings) throws(SettingsError) -> String {
        let folder = text(settings, .gateFolder)
        guard !folder.isEmpty else { return try "\(settings.text(.state))/gate" }
        guard folder.hasPrefix("/") else { throw settings.complaint(.gateFolder, "must be a path that begins with /") }
        return folder
    }

    private static func trustedProxies(_ settings: Settings) throws(SettingsError) -> TrustedProxies {
        guard let proxies = TrustedProxies(listed: text(settings, .trustedProxies)) else {
            throw settings.complaint(
                .trustedProxies,
                "must be addresses or networks such as 10.0.0.7 or 10.0.0.0/28, separated by commas, and never everybody's"
            )
        }
        return proxies
    }

    private static func policy(_ settings: Settings) throws(SettingsError) -> AddressPolicy {
        let texts = text(settings, .allowNetworks).split(separator: ",").map { $0.filter { $0 != " " } }
        let networks = texts.map { Network($0) }
        guard !networks.contains(nil) else {
            throw settings.complaint(.allowNetworks, "must be networks such as 10.0.0.0/8, separated by commas")
        }
        return AddressPolicy(allowing: networks.compactMap(\.self))
    }

    private static func returnAddresses(_ settings: Settings) throws(SettingsError) -> ReturnAddresses {
        let listed = text(settings, .redirectURIs).split(separator: ",").map { String($0).filter { $0 != " " } }
        guard let addresses = ReturnAddresses(siteURL: text(settings, .siteURL), listed: listed) else {
            throw settings.complaint(
                .redirectURIs, "or SITE_URL names an address that does not begin with https:// and a host")
        }
        return addresses
    }

    private static func origins(_ settings: Settings) throws -> OriginMap {
        let path = text(settings, .originMap)
        if path.isEmpty { return OriginMap() }
        do throws(OriginMapError) {
            return try OriginMap(path: path)
        } catch {
            throw settings.complaint(.originMap, "cannot be used: \(error)")
        }
    }
}

/// The files that pages refer to, named by a digest of their content so that browsers may keep them for good.
enum Assets {
    /// The names in a folder; without the folder, names that any digest would have.
    static func names(in folder: String) throws -> Site.Assets {
        Site.Assets(
            css: try name("hub", "css", in: folder), script: try name("hub", "js", in: folder),
            icon: try name("icon", "svg", in: folder))
    }

    private static func name(_ stem: String, _ kind: String, in folder: String) throws -> String {
        guard !folder.isEmpty else { return "\(stem).\(String(repeating: "0", count: 12)).\(kind)" }
        let path = "\(folder)/\(stem).\(kind)"
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw SettingsError(complaints: ["HUB_ASSETS: there is no file \(path)."])
        }
        return "\(stem).\(Hex.encode(SHA256.digest(Array(data)).prefix(6))).\(kind)"
    }
}

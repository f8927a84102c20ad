import APIKeys
import Accounts
import AdminShell
import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import LogKit
import Testing
import ThreadKit
import TimeKit

@testable import Hub

/// A clock that stands until it is moved.
final class StandingClock: Sendable {
    private let time = Lock(Timestamp.now())

    var now: Timestamp { time.withLock { $0 } }
    func pass(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// The whole house on a database and a folder of its own; visitors come in by its front door.
final class FrontDoor: Sendable {
    static let password = "correct horse battery staple"

    let built: BuiltHouse
    let clock = StandingClock()
    let database: Database
    let publicURL: String
    private let server: Database
    private let name: String
    private let folder: URL

    init(_ more: [String: String] = [:], at publicURL: String = "http://127.0.0.1:8080") throws {
        let text = try #require(
            ProcessInfo.processInfo.environment["HUB_TEST_DATABASE_URL"],
            "run the tests by Tests/mariadb run swift test")
        self.publicURL = publicURL
        name = "hub_" + UUID().uuidString.lowercased().replacing("-", with: "")
        server = Database(try DatabaseURL(text), connections: 1)
        try server.execute("CREATE DATABASE \(unescaped: name) CHARACTER SET utf8mb4")
        let url = text.replacing("/\(try DatabaseURL(text).name)", with: "/\(name)")
        folder = FileManager.default.temporaryDirectory.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        _ = try KeyRing.generate(path: folder.appending(path: "keyring").path)
        let log = Log(threshold: .error)
        _ = try Schema.migrator(DatabaseURL(url), log: log).migrate()
        let settings = try Settings(
            environment: [
                "HUB_PUBLIC_URL": publicURL, "HUB_DATABASE_URL": url, "HUB_STATE": folder.path,
                "HUB_KEYRING": folder.appending(path: "keyring").path, "HUB_SCRYPT_LN": "10", "HUB_LOG_LEVEL": "error",
                "HUB_RATE_LIMIT_PER_MINUTE": "1000000", "HUB_RATE_LIMIT_PER_HOUR": "1000000",
                "HUB_RATE_LIMIT_PER_DAY": "1000000",
                "HUB_LIMIT_SUBJECTS": "4096",
            ].merging(more) { $1 }, cores: 2)
        let clock = clock
        built = try House.build(
            Configuration(settings), world: World(now: { clock.now }, randomBytes: { Random.bytes($0) }))
        database = built.database
    }

    deinit {
        _ = try? server.execute("DROP DATABASE IF EXISTS \(unescaped: name)")
        try? FileManager.default.removeItem(at: folder)
    }

    var accounts: Accounts { built.rooms.accounts }

    /// Another process of this host, with the key ring as it lies there now.
    func anotherProcess() throws -> BuiltHouse {
        let clock = clock
        return try House.build(
            built.configuration, world: World(now: { clock.now }, randomBytes: { Random.bytes($0) }))
    }

    /// Somebody with an account, in an organization that is made when there is none of its name.
    func person(_ email: String, _ role: Role = .owner, in organization: String = "Acme Shop") throws {
        let there = try database.row("SELECT id FROM organizations WHERE name = \(organization)") != nil
        if !there, role != .owner { try person("owner@\(UUID().uuidString.lowercased()).example", in: organization) }
        try accounts.createUser(
            email: email, name: nil, organization: organization, role: role, password: Secret(Self.password))
    }

    /// A key of an organization.
    func key(_ scopes: [String] = ["admin:*"], in organization: String = "Acme Shop") throws -> String {
        try built.rooms.apiKeys.create(
            name: "test", scopes: scopes, by: accounts.organizationScope(named: organization)
        )
        .reveal { $0 }
    }

    func organization(_ name: String = "Acme Shop") throws -> Identifier<Organization> {
        try accounts.organizationScope(named: name).organization
    }

    func count(_ sql: SQL) throws -> Int { try #require(try database.row(sql)).get("n") }

    /// A visitor who has signed in.
    func signedIn(_ email: String, from address: String = "203.0.113.9") throws -> Visitor {
        let visitor = Visitor(self, from: address)
        let answer = try visitor.submit("/sign-in", [("email", email), ("password", Self.password)])
        try #require(answer.status == 303, "\(answer.text)")
        return visitor
    }

    /// Every route of every room, once for each method that it has a rule for.
    var walk: [(path: String, method: HTTPKit.Method, access: Access)] {
        built.house.rooms.flatMap(\.samples).flatMap { sample in
            sample.access.methods.sorted { $0.name < $1.name }.compactMap { method in
                sample.access[method].map { (sample.path, method, $0) }
            }
        }
    }
}

/// A browser or a script: sends requests and keeps cookies.
final class Visitor {
    let door: FrontDoor
    let address: String
    var cookies: [String: String] = [:]
    private let house: House

    /// - Parameter house: the process that answers, the first one unless told.
    init(_ door: FrontDoor, from address: String = "203.0.113.9", at house: House? = nil) {
        self.door = door
        self.house = house ?? door.built.house
        self.address = address
    }

    func send(
        _ method: HTTPKit.Method, _ target: String, form: [(String, String)]? = nil, json: String? = nil,
        headers: Headers = [:]
    ) throws -> Response {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        var headers = headers
        var body: [UInt8] = []
        if let form {
            headers["content-type"] = "application/x-www-form-urlencoded"
            body = Array(Form(pairs: form.map { (name: $0.0, value: $0.1) }).urlencoded.utf8)
        } else if let json {
            headers["content-type"] = "application/json"
            body = Array(json.utf8)
        }
        if !cookies.isEmpty {
            headers["cookie"] = cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ")
        }
        let site = house.shell.site
        let answer = house.respond(
            to: Request(
                method, path: try #require(Path(parts.first ?? "/")), mount: site.mount,
                query: parts.count > 1 ? parts[1] : "",
                headers: headers, body: body, remoteAddress: address, isSecure: site.isSecure, id: "0123456789abcdef",
                received: door.clock.now))
        for cookie in answer.headers.all("set-cookie") { keep(cookie) }
        return answer
    }

    func get(_ target: String, headers: Headers = [:]) throws -> Response { try send(.get, target, headers: headers) }

    private func keep(_ cookie: String) {
        let pair = cookie.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2 else { return }
        cookies[String(pair[0])] = cookie.contains("Max-Age=0") ? nil : String(pair[1])
    }

    /// The hidden fields that a form of a page carries besides those of its own.
    func hidden(of page: String) throws -> [(String, String)] {
        let text = try get(page).text
        return text.matches(of: /<input type="hidden" name="([^"]+)" value="([^"]*)">/).reduce(into: []) {
            found, match in
            let name = String(match.1)
            if ["csrf_token", "form_nonce"].contains(name), !found.contains(where: { $0.0 == name }) {
                found.append((name, String(match.2)))
            }
        }
    }

    /// What every form of this browser must carry.
    func token() throws -> String {
        try #require(
            try hidden(of: cookies.keys.contains { $0.hasSuffix("hub_session") } ? "/account" : "/sign-in").first {
                $0.0 == "csrf_token"
            }?.1)
    }

    /// Fills in a form that stands on a page and sends it to its address, the page's own unless told.
    func submit(_ page: String, _ fields: [(String, String)], to action: String? = nil) throws -> Response {
        try send(.post, action ?? String(page.prefix { $0 != "?" }), form: fields + hidden(of: page))
    }
}

extension Response {
    var text: String {
        guard case .bytes(let bytes) = body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Runs a body in several threads and waits for all.
func inThreads<Result: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Result) throws -> [Result] {
    let results = Lock<[Swift.Result<Result, any Error>]>([])
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            let result = Swift.Result { try body(index) }
            results.withLock { $0.append(result) }
            group.leave()
        }
    }
    group.wait()
    return try results.withLock { $0 }.map { try $0.get() }
}

import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import JobKit
import LogKit
import RoomFixture
import Testing
import ThreadKit

@testable import Connections

/// An office beside a service at which people sign in: it remembers what each code was given for, and checks the proof.
struct SigningInOffice: Sendable {
    /// What the service does.
    final class Service: Sendable {
        private let answers = Lock<[String: String]>([:])

        /// What the service answers where a path begins with this, from now on.
        func answer(_ path: String, _ status: Int = 200, _ body: String) {
            answers.withLock { $0[path] = StandIn.json(status, body) }
        }

        func respond(to request: String) -> String? {
            let path = request.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            return answers.withLock { answers in
                let fitting = answers.keys.filter { path.hasPrefix($0) }.max { $0.count < $1.count }
                return fitting.flatMap { answers[$0] } ?? StandIn.json(404, #"{"error":"not found"}"#)
            }
        }
    }

    let service: Service
    let office: Office

    /// - Parameter isGoogle: whether it answers as Google documents, with an account that granted everything.
    init(
        overlay: [(name: String, bytes: [UInt8])] = [], variables: [String: String] = [:], isGoogle: Bool = true
    ) throws {
        let service = Service()
        self.service = service
        office = try Office(overlay: overlay, variables: variables) { service.respond(to: $0) }
        guard isGoogle else { return }
        service.answer("/token", 200, Self.googleTokens)
        service.answer("/oauth2/v3/userinfo", 200, #"{"sub":"1","email":"ana@gmail.example","name":"Ana"}"#)
    }

    static let accessToken = "ya29.access-token-never-to-be-seen"
    static let refreshToken = "1//refresh-token-never-to-be-seen"
    static let code = "4/0AdQt8qh-code-never-to-be-seen"
    static let clientSecret = "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en"
    static let googleTokens = #"""
        {"access_token":"\#(accessToken)","expires_in":3599,"refresh_token":"\#(refreshToken)","token_type":"Bearer",
         "scope":"openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile"}
        """#

    /// Makes a connection and gives its id.
    func connection(
        _ provider: String = "google", name: String = "default",
        setup: String = #"{"client_id":"123-abc.apps.googleusercontent.com","client_secret":"\#(clientSecret)"}"#
    ) throws -> String {
        let (response, body) = try office.json(
            .post, "connections", #"{"provider":"\#(provider)","name":"\#(name)","setup":\#(setup)}"#)
        try #require(response.status == 201, "\(body)")
        return try #require(body["id"]?.text)
    }

    /// Begins a sign-in as a browser does and gives the address of the service, taken apart.
    func begin(_ id: String, _ body: String = "{}", as principal: Principal? = nil) throws -> Address {
        let (response, answer) = try office.json(.post, "connections/\(id)/authorize", body, as: principal)
        try #require(response.status == 200, "\(answer)")
        #expect(response.headers["cache-control"] == "no-store")
        let address = try Address(#require(answer["url"]?.text))
        // Where the service knows no state, the address that it comes back to holds it.
        #expect(address.text.contains(try #require(answer["state"]?.text)))
        return address
    }

    /// The browser comes back from the service.
    func comeBack(
        _ query: [(String, String)], to provider: String = "google", as principal: Principal? = nil
    ) throws -> Response {
        try office.door.send(
            .get, "/connections/callback/\(provider)", as: principal ?? office.admin,
            query: Form(pairs: query.map { (name: $0.0, value: $0.1) }).urlencoded)
    }

    /// Signs in from beginning to end.
    func signIn(_ id: String, _ provider: String = "google") throws -> Response {
        try comeBack([("code", Self.code), ("state", begin(id).state)], to: provider)
    }

    /// The last request whose first line begins so.
    func request(_ beginning: String) -> String? { office.service.requests.last { $0.hasPrefix(beginning) } }

    /// What was sent to a token endpoint, as a form.
    func sent(_ beginning: String) -> Form {
        Form(urlencoded: request(beginning)?.components(separatedBy: "\r\n\r\n").last ?? "") ?? .empty
    }

    func tokens(_ id: String) throws -> Tokens? {
        let view = try office.room.find(.id(#require(Identifier(id))), office.house.scope(of: office.admin))
        guard case .open(let tokens) = view.tokens else { return nil }
        return tokens
    }

    /// Does what is due in the background until nothing is.
    func work() throws {
        let (house, log) = (office.house, Log(threshold: .error, descriptor: -1))
        let runner = JobRunner(
            JobQueue(house.database, now: house.world.now), office.room.jobs, log: log, now: house.world.now)
        while try runner.runOne() {}
    }

    /// The last line of the audit log of a kind.
    func audited(_ action: String) throws -> JSON? {
        try office.house.database.row(
            "SELECT details FROM audit_events WHERE action = \(action) ORDER BY id DESC LIMIT 1"
        ).map { try JSON(parsing: Array($0.get("details", as: String.self).utf8)) }
    }
}

/// An authorization address, taken apart.
struct Address {
    let text: String
    let query: Form

    init(_ text: String) throws {
        self.text = text
        let parts = text.split(separator: "?", maxSplits: 1)
        query = try #require(Form(urlencoded: parts.last ?? ""))
    }

    var place: String { String(text.prefix { $0 != "?" }) }
    var state: String { query["state"] ?? "" }
    subscript(name: String) -> String? { query[name] }
}

/// What a flash cookie says, without its signature.
func flash(_ response: Response) -> String {
    let cookie = response.headers.all("set-cookie").first { $0.contains("hub_flash=") } ?? ""
    let value = cookie.components(separatedBy: "hub_flash=").last?.split(separator: ";").first ?? ""
    let parts = value.split(separator: ".")
    return parts.count == 3 ? Base64URL.decode(String(parts[1])).map { String(decoding: $0, as: UTF8.self) } ?? "" : ""
}

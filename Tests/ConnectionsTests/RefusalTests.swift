import AdminShell
import ClientKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import RoomFixture
import Synchronization
import Testing
import TimeKit

@testable import Connections

/// A service that refuses is left in peace before it shuts the hub out (A2-28).
@Suite struct RefusalTests {
    /// What the service answers with.
    private final class Mood: Sendable {
        let status = Atomic<Int>(200)
        var now: Int { status.load(ordering: .sequentiallyConsistent) }
        func turn(to new: Int) { status.store(new, ordering: .sequentiallyConsistent) }
    }

    private static let url = "https://api.telegram.org/bot1/getMe"
    private let mood = Mood()
    private let office: Office
    private let room: Connections
    private let door: Door

    init() throws {
        let mood = mood
        office = try Office { _ in mood.now == 200 ? StandIn.telegram : StandIn.json(mood.now, #"{"ok":false}"#) }
        let path = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString)").path
        defer { for end in ["", ".lock"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let limiter = try Limiter(
            file: path, subjects: 256, log: Log(threshold: .error), now: office.house.world.now)
        room = try Office.room(office.house, office.ring, calling: office.service, limiter: limiter)
        door = try Door(office.house, room.routes, templates: Connections.templates)
    }

    private func caller(
        _ connection: String? = nil, of organization: Identifier<Organization>? = nil
    ) -> Refusals.Caller {
        Refusals.Caller(
            connection: connection.flatMap { Identifier($0) } ?? Identifier(office.house.world),
            organization: organization ?? office.organization)
    }

    private func refuse(_ count: Int, _ caller: Refusals.Caller, status: Int = 401) {
        for _ in 0..<count { room.refusals.note(status, Self.url, by: caller) }
    }

    /// Whether a call would be made; if not, for how long and whether for all.
    private func rest(_ caller: Refusals.Caller, isTrial: Bool = false, url: String = url) -> Refusals.Rest? {
        do throws(Refusals.Rest) {
            try room.refusals.check(url, of: "Telegram", by: caller, isTrial: isTrial)
            return nil
        } catch {
            return error
        }
    }

    private func call(_ id: String) throws -> Response {
        let path = try #require(
            Path("/api/v1/connections/\(id)/proxy/getMe", passing: Connections.passThrough))
        office.house.pass(.milliseconds(1))
        return door.send(Request(.get, path: path, mount: "/hub"), as: office.admin)
    }

    @Test("What one connection causes ends for it alone, long before ten thousand, and after an hour it is over")
    func connection() throws {
        let (one, other) = (caller(), caller())
        for status in [200, 302, 400, 404, 500, 503] { refuse(600, one, status: status) }
        #expect(rest(one) == nil)
        refuse(200, one, status: 401)
        refuse(200, one, status: 403)
        refuse(99, one, status: 429)
        #expect(rest(one) == nil)
        refuse(1, one)
        let told = try #require(rest(one))
        #expect(!told.isForAll && told.duration > .minutes(58) && told.duration <= .minutes(61))
        #expect(told.sentence.hasPrefix("Telegram has refused 500 calls of this connection within an hour."))
        #expect(told.problem.status == 429 && told.problem.code == "refused_too_often")
        #expect(rest(one, url: "https://elsewhere.example/") != nil, "a connection has one credential for all hosts")
        #expect(rest(one, isTrial: true) == nil && rest(other) == nil)
        office.house.pass(told.duration)
        #expect(rest(one) == nil)
    }

    @Test("One organization cannot have the hub shut out by many connections, nor several by being many")
    func others() throws {
        for _ in 0..<3 { refuse(500, caller()) }
        let told = try #require(rest(caller()))
        #expect(!told.isForAll && told.sentence.contains("your connections"))
        #expect(rest(caller(), isTrial: true) != nil)
        #expect(rest(caller(), url: "https://api.sendgrid.com/") == nil)
        let innocent = try caller(of: office.house.organization("Innocent"))
        #expect(rest(innocent) == nil)
        for _ in 0..<3 {
            let organization = try office.house.organization("Another")
            for _ in 0..<3 { refuse(500, caller(of: organization)) }
        }
        let all = try #require(rest(innocent))
        #expect(all.isForAll && all.problem.status == 503)
        #expect(rest(innocent, url: "https://api.sendgrid.com/") == nil)
    }

    @Test(
        "Calls that would be passed on are answered with Retry-After and do not reach the service; a test that passes ends it"
    )
    func proxy() throws {
        let id = try office.telegram()
        refuse(499, caller(id))
        mood.turn(to: 401)
        #expect(try call(id).status == 401)
        let reached = office.service.requests.count
        let refused = try call(id)
        #expect(refused.status == 429 && office.service.requests.count == reached)
        let seconds = try #require(Int(refused.headers["retry-after"] ?? ""))
        #expect((3_000...3_660).contains(seconds))
        #expect(try JSON(parsing: Array(refused.text().utf8))["code"] == "refused_too_often")
        let audited = try office.house.database.row(
            "SELECT details FROM audit_events WHERE action = 'connection.called' ORDER BY id DESC LIMIT 1")
        #expect(try audited?.get("details", as: String.self).contains("refused_too_often") == true)

        mood.turn(to: 200)
        let view = try room.find(.id(#require(Identifier(id))), office.house.scope(of: office.admin))
        #expect(try room.test(view, by: office.house.scope(of: office.admin)).isSuccess)
        #expect(try call(id).status == 200)
    }

    @Test("Tokens are not renewed as long as the service is left in peace, and the renewal is due when it is over")
    func renewal() throws {
        let catalogue = try ProviderCatalogue(overlay: [("acme.json", Array(SignedIn.provider().utf8))])
        let provider = try #require(catalogue["acme"])
        let oauth = try #require(provider.oauth)
        let connection = Identifier<Connection>(office.house.world)
        let calls = room.serviceClient(connection, of: office.organization, provider.name)
        for _ in 0..<500 { room.refusals.note(403, "https://auth.example/me", by: calls.caller) }
        let endpoint = TokenEndpoint(
            calls: calls, provider: provider, oauth: oauth, values: ["client_id": "a"], now: { .now() })
        do throws(TokenFailure) {
            _ = try endpoint.refresh(Tokens(access: "a", refresh: "r"), with: Secret("r"))
            Issue.record("renewed")
        } catch {
            #expect(error.code == .later && error.sentence.hasPrefix("Acme has refused 500 calls"))
            let now = office.house.world.now()
            let verdict = RefreshVerdict(error, of: .none, because: .due, at: now)
            #expect(verdict.dueAt.map { $0 - now > .minutes(58) } == true)
        }
        #expect(office.service.requests.isEmpty)
    }
}

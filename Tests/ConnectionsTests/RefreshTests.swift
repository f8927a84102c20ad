import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Connections

@Suite struct RefreshTests {
    /// Asks from many threads of two processes at once, and gives what each got.
    private func parallel(
        _ count: Int, _ acme: SignedIn, _ ask: @escaping @Sendable (Connections) throws -> ConnectionView
    ) throws -> [Result<String?, any Error>] {
        let results = Lock<[Result<String?, any Error>]>([])
        let threads = try (0..<count).map { number in
            try WorkerThread(name: "asks \(number)") {
                let result = Result { try ask(number.isMultiple(of: 2) ? acme.room : acme.other).token }
                results.withLock { $0.append(result) }
            }
        }
        for thread in threads { thread.join() }
        return results.withLock { $0 }
    }

    private func refresh(_ view: ConnectionView, _ acme: SignedIn) -> @Sendable (Connections) throws -> ConnectionView {
        { room in try room.refresh(room.find(.id(view.record.id), acme.scope), by: acme.scope) }
    }

    @Test("Fifty who ask at once, in two processes, get what one call brought")
    func singleFlight() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        let results = try parallel(50, acme, refresh(view, acme))
        #expect(try results.map { try $0.get() } == Array(repeating: "access-1", count: 50))
        #expect(acme.service.refreshes == 1)
    }

    @Test("Fifty whose one stale token was refused get one new one")
    func oneStaleToken() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        let results = try parallel(50, acme) { try $0.live(view, by: acme.scope, forced: true) }
        #expect(try results.map { try $0.get() } == Array(repeating: "access-1", count: 50))
        // One who comes late with the same stale token gets the new one too.
        #expect(try acme.room.live(view, by: acme.scope, forced: true).token == "access-1")
        // The new one refused at once: another would be refused as well.
        let new = try acme.view(view)
        #expect(try acme.room.live(new, by: acme.scope, forced: true).record.grant.version == new.record.grant.version)
        #expect(acme.service.refreshes == 1)
        acme.house.pass(.seconds(6))
        #expect(try acme.room.live(new, by: acme.scope, forced: true).token == "access-2")
    }

    @Test("Fifty who ask for what the service refuses are all told, after one call")
    func oneFailure() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set { $0.scripted = Array(repeating: StandIn.json(500, "{}"), count: 50) }
        let results = try parallel(50, acme, refresh(view, acme))
        for result in results {
            #expect(throws: Problem.self) { try result.get() }
            if case .failure(let problem as Problem) = result { #expect(problem.code == "refresh_failed") }
        }
        #expect(acme.service.refreshes == 1)
    }

    @Test("Tokens are renewed within five minutes of their end, and stored before anybody has them")
    func renewing() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.house.pass(.minutes(53))
        #expect(try acme.room.live(view, by: acme.scope).token == "access-0")
        #expect(acme.service.refreshes == 0)
        acme.house.pass(.minutes(2) + .seconds(1))
        acme.service.set { $0.after = { acme.service.set { $0.calls.append("answered") } } }
        let live = try acme.room.live(view, by: acme.scope)
        let stored = try acme.view(view)
        #expect(live.token == "access-1" && stored.token == "access-1" && stored.refreshToken == "refresh-1")
        #expect(stored.record.grant.version == view.record.grant.version + 1)
        #expect(stored.record.grant.expiresAt == acme.house.world.now() + .hours(1))
        let dueAt = try #require(stored.record.grant.refreshDueAt)
        let margin = acme.house.world.now() + .hours(1) - dueAt
        #expect(margin >= .minutes(6) && margin <= .minutes(6) * 1.1)
        #expect(stored.record.grant.refreshedAt == acme.house.world.now())
        let sealed = try #require(stored.record.grant.sealed)
        #expect(!sealed.contains(text: "access-1") && !sealed.contains(text: "refresh-1"))
    }

    @Test("A refresh token that the answer omits is kept; another one keeps the one before until it was used")
    func keeping() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set { $0.rotates = false }
        var stored = try acme.room.refresh(view, by: acme.scope)
        #expect(stored.refreshToken == "refresh-0" && stored.previousRefresh == nil)
        acme.service.set { $0.rotates = true }
        acme.house.pass(.seconds(6))
        stored = try acme.room.refresh(stored, by: acme.scope)
        #expect(stored.refreshToken == "refresh-2" && stored.previousRefresh == "refresh-0")
        acme.house.pass(.seconds(6))
        stored = try acme.room.refresh(stored, by: acme.scope)
        #expect(stored.refreshToken == "refresh-3" && stored.previousRefresh == "refresh-2")
    }

    @Test("A refresh token that is known no more gives way to the one before, if the service still takes that")
    func previous() throws {
        let acme = try SignedIn()
        let view = try acme.connect(refresh: "lost", previous: "refresh-0")
        let stored = try acme.room.refresh(view, by: acme.scope)
        #expect(stored.token == "access-1" && stored.refreshToken == "refresh-1")
        #expect(stored.status == .connected && acme.service.refreshes == 2)
    }

    @Test("invalid_grant needs a person: it is told once, and the service is asked no more")
    func grantEnded() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set { $0.refreshTokens = [] }
        let (response, body) = try acme.json(.post, "connections/\(view.record.id)/refresh", "{}")
        #expect(response.status == 409 && body["code"] == "needs_reauth")
        #expect(body["detail"]?.text?.hasPrefix("Token refresh failed: Invalid grant") == true)
        let stored = try acme.view(view)
        #expect(stored.status == .needsReauth && stored.record.grant.refreshDueAt == nil)
        #expect(stored.record.statusDetail == body["detail"]?.text)
        // The access token is used to its end, since it may outlive its refresh token.
        #expect(try acme.room.live(stored, by: acme.scope).token == "access-0")
        acme.house.pass(.hours(1))
        try acme.work()
        #expect(throws: Problem.needsReauth(stored.record.statusDetail ?? "")) {
            try acme.room.live(acme.view(view), by: acme.scope)
        }
        #expect(try acme.json(.get, "connections/\(view.record.id)/credentials").response.status == 409)
        #expect(acme.service.refreshes == 1)
        #expect(try acme.events() == ["connection.needs_reauth"])
        #expect(try acme.house.auditedActions() == ["connection.created", "connection.refresh_failed"])
    }

    @Test("invalid_grant for tokens that somebody has replaced meanwhile is no failure")
    func replacedMeanwhile() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set { $0.scripted = [StandIn.json(400, #"{"error":"invalid_grant"}"#)] }
        acme.service.set { state in
            state.before = {
                let tokens = Tokens(access: "access-9", refresh: "refresh-9")
                _ = try? acme.house.database.transaction { transaction in
                    try acme.room.store(acme.scope).storeGrant(
                        view.record.id,
                        sealedTokens: acme.room.vault.seal(
                            tokens.bytes, at: Tokens.place(view.record.id), for: acme.scope.organization,
                            in: transaction),
                        times: GrantTimes(expiresAt: nil, refreshDueAt: nil, endsAt: nil), requested: [], granted: nil,
                        metadata: "{}", status: .connected, detail: nil, grantKey: nil, in: transaction)
                }
            }
        }
        #expect(try acme.room.refresh(view, by: acme.scope).token == "access-9")
        #expect(try acme.view(view).status == .connected)
        #expect(acme.service.refreshes == 1)
    }

    @Test("What cannot be renewed is told as such, and what nobody signed in to has no credentials")
    func nothingToRenew() throws {
        let acme = try SignedIn()
        let without = try acme.connect(refresh: nil)
        let (response, body) = try acme.json(.post, "connections/\(without.record.id)/refresh", "{}")
        #expect(response.status == 409 && body["code"] == "not_refreshable")
        #expect(try acme.view(without).status == .connected)
        // Once it has ended, or was refused, somebody must sign in again.
        #expect(throws: Problem.self) { try acme.room.live(without, by: acme.scope, forced: true) }
        #expect(try acme.view(without).status == .needsReauth && acme.service.refreshes == 0)
        let (_, made) = try acme.json(
            .post, "connections", #"{"provider":"acme","name":"new","setup":{"client_id":"a","client_secret":"b"}}"#)
        let id = made["id"]?.text ?? ""
        for verb in ["refresh", "credentials"] {
            let method: HTTPKit.Method = verb == "refresh" ? .post : .get
            let asked = try acme.json(method, "connections/\(id)/\(verb)", verb == "refresh" ? "{}" : nil)
            #expect(asked.response.status == 409 && asked.body["code"] == "not_connected")
        }
    }

    @Test("The credentials that are lent are live ones, and a person renews them from the page")
    func lending() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.house.pass(.hours(2))
        let (response, body) = try acme.json(.get, "connections/\(view.record.id)/credentials")
        #expect(response.status == 200 && body["credentials"]?["access_token"] == "access-1")
        acme.house.pass(.seconds(6))
        let page = try acme.door.send(.post, "/connections/\(view.record.id)/refresh", as: acme.admin, form: [])
        #expect(page.status == 303 && acme.service.refreshes == 2)
        #expect(try acme.view(view).token == "access-2")
        let now = acme.house.world.now()
        let (_, json) = try acme.json(.get, "connections/\(view.record.id)")
        #expect(json["refreshed_at"]?.text == now.rfc3339)
        #expect(json["expires_at"]?.text == (now + .hours(1)).rfc3339)
        let checks = try acme.json(.get, "connections/\(view.record.id)/checks").body["data"]
        #expect(checks?.elements?.map { $0["kind"] } == ["refresh", "refresh"])
        #expect(checks?.elements?.allSatisfy { $0["ok"] == true } == true)
    }
}

extension [UInt8] {
    /// Whether a text stands somewhere inside.
    func contains(text: String) -> Bool { String(decoding: self, as: UTF8.self).contains(text) }
}

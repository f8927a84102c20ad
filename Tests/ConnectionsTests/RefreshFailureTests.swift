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

@Suite struct RefreshFailureTests {
    @Test("Waits double from one minute to eight, and a longer Retry-After is honoured")
    func waits() {
        #expect((1...6).map { RefreshVerdict.wait(afterFailure: $0) } == [1, 2, 4, 8, 8, 8].map { .minutes($0) })
        let now = Timestamp(seconds: 1_800_000_000)
        for (retryAfter, expected) in [(nil, 60), (30, 60), (600, 600)] as [(Int?, Int)] {
            let failure = TokenFailure(.later, "Busy.", retryAfter: retryAfter.map { .seconds($0) })
            let verdict = RefreshVerdict(failure, of: .none, because: .due, at: now)
            #expect(verdict.dueAt == now + .seconds(expected) && verdict.status == nil)
        }
    }

    @Test("A working token is tried to be renewed again and again; people are told after the third failure in a row")
    func alarm() throws {
        let acme = try SignedIn()
        let view = try acme.connect(lifetime: .hours(3))
        let busy = StandIn.json(503, #"{"error":"temporarily_unavailable"}"#)
        acme.service.set { $0.scripted = Array(repeating: busy, count: 3) }
        acme.house.pass(.hours(3) - .minutes(17))
        for (attempt, wait) in [1, 2, 4].enumerated() {
            try acme.work()
            let stored = try acme.view(view)
            #expect(acme.service.refreshes == attempt + 1)
            #expect(stored.record.grant.refreshFailures == attempt + 1)
            #expect(stored.record.grant.refreshDueAt == acme.house.world.now() + .minutes(wait))
            #expect(stored.status == (attempt == 2 ? .error : .connected))
            // Not before its time.
            acme.house.pass(.minutes(wait) - .seconds(1))
            try acme.work()
            #expect(acme.service.refreshes == attempt + 1)
            acme.house.pass(.seconds(31))
        }
        #expect(try acme.events() == ["connection.error", "connection.refresh_failed"])
        #expect(acme.logged().contains("Tokens could not be renewed three times in a row"))
        let stored = try acme.view(view)
        #expect(stored.record.statusDetail?.hasPrefix("Token refresh failed: Acme has trouble") == true)
        // It mends itself.
        try acme.work()
        let mended = try acme.view(view)
        #expect(mended.status == .connected && mended.record.statusDetail == nil && mended.token == "access-1")
        #expect(mended.record.grant.refreshFailures == 0)
        #expect(try acme.events().last == "connection.connected")
    }

    @Test("Who needs a token that has ended is told when to come back, and the service is left in peace until then")
    func ended() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.house.pass(.hours(2))
        acme.service.set { $0.scripted = [StandIn.json(500, "{}")] }
        for _ in 0..<3 {
            let (response, body) = try acme.json(.get, "connections/\(view.record.id)/credentials")
            #expect(response.status == 502 && body["code"] == "refresh_failed")
            #expect(response.headers["retry-after"] == "60")
        }
        #expect(acme.service.refreshes == 1)
        #expect(try acme.view(view).status == .error)
        acme.house.pass(.minutes(1))
        #expect(try acme.json(.get, "connections/\(view.record.id)/credentials").response.status == 200)
        #expect(try acme.view(view).status == .connected)
    }

    @Test("A token that ends soon but works is lent while the service has trouble")
    func stillValid() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.house.pass(.minutes(56))
        acme.service.set { $0.scripted = [StandIn.json(429, "{}")] }
        for _ in 0..<3 { #expect(try acme.room.live(acme.view(view), by: acme.scope).token == "access-0") }
        #expect(try acme.view(view).status == .connected && acme.service.refreshes == 1)
    }

    @Test("Wrong client credentials are an error at once, and mend themselves once they are right")
    func clientRefused() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set { $0.scripted = [StandIn.json(401, #"{"error":"invalid_client"}"#)] }
        #expect(throws: Problem.self) { try acme.room.refresh(view, by: acme.scope) }
        let stored = try acme.view(view)
        #expect(stored.status == .error && stored.record.statusDetail?.contains("client secret") == true)
        acme.house.pass(.minutes(1))
        try acme.work()
        #expect(try acme.view(view).status == .connected)
    }

    @Test(
        "However a service says that a refresh token has ended, a person is needed, and it is asked no more",
        arguments: [
            (400, #"{"error":"invalid_grant"}"#),
            (401, #"{"error":"invalid_request","error_description":"This request requires an active refresh_token"}"#),
            (200, #"{"ok":false,"error":"invalid_refresh_token"}"#), (200, #"{"error":"bad_refresh_token"}"#),
            (400, #"{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}"#),
            (400, #"{"error":{"message":"Session has expired.","type":"OAuthException","code":190}}"#),
            (400, #"{"error":"interaction_required","error_description":"AADSTS50076: Use multi-factor."}"#),
        ])
    func words(status: Int, answer: String) throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set { $0.scripted = [StandIn.json(status, answer)] }
        let (response, body) = try acme.json(.post, "connections/\(view.record.id)/refresh", "{}")
        #expect(response.status == 409 && body["code"] == "needs_reauth")
        let stored = try acme.view(view)
        #expect(stored.status == .needsReauth && stored.record.grant.refreshDueAt == nil)
        #expect(stored.record.statusDetail?.hasPrefix("Token refresh failed: Invalid grant: ") == true)
    }

    @Test("An answer that is lost on its way is asked for again with the same token", arguments: [nil, "HTTP/1.1 2"])
    func lost(answer: String?) throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set { $0.scripted = [answer] }
        #expect(throws: Problem.self) { try acme.room.refresh(view, by: acme.scope) }
        #expect(try acme.view(view).refreshToken == "refresh-0")
        acme.house.pass(.minutes(1))
        try acme.work()
        #expect(try acme.view(view).refreshToken == "refresh-1")
        #expect(try acme.view(view).status == .connected)
    }

    @Test("What a worker took along is due again after half a minute", arguments: [true, false])
    func abandoned(isForgiving: Bool) throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        // It dies between the service's answer and the commit: the service has ended the old token, or keeps it a while.
        let dying = acme.other.store(acme.scope)
        #expect(try dying.claimRefresh(of: view.record.id, version: view.record.grant.version) != nil)
        acme.service.set { $0.refreshTokens = isForgiving ? ["refresh-0", "refresh-1"] : ["refresh-1"] }
        try acme.work()
        #expect(acme.service.refreshes == 0)
        acme.house.pass(.seconds(31))
        try acme.work()
        #expect(acme.service.refreshes == 1)
        let stored = try acme.view(view)
        #expect(stored.status == (isForgiving ? .connected : .needsReauth))
        #expect(stored.token == (isForgiving ? "access-1" : "access-0"))
    }

    @Test("Who read the clock before another and came to the row after it takes nothing; a fast clock is no bar")
    func overtaken() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        let (id, version) = (view.record.id, view.record.grant.version)
        let store = acme.room.store(acme.scope)
        #expect(try store.claimRefresh(of: id, version: version) != nil)
        for earlier in [Duration.milliseconds(1), .seconds(59)] {
            acme.house.pass(.zero - earlier)
            #expect(try store.claimRefresh(of: id, version: version) == nil)
            acme.house.pass(earlier)
        }
        acme.house.pass(.zero - .minutes(2))
        #expect(try store.claimRefresh(of: id, version: version) != nil)
    }

    @Test("Who waits for a worker that died takes over when its time is up")
    func takeOver() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        _ = try acme.other.store(acme.scope).claimRefresh(of: view.record.id, version: view.record.grant.version)
        let got = Lock<String?>(nil)
        let waiting = try WorkerThread(name: "waits") {
            let token = try? acme.room.refresh(view, by: acme.scope).token
            got.withLock { $0 = token }
        }
        acme.house.pass(.seconds(31))
        waiting.join()
        #expect(got.withLock { $0 } == "access-1")
    }

    @Test("A token that ends while another worker is waited for is lent to nobody")
    func endedMeanwhile() throws {
        // The clock goes on once it was looked at, while the one who has the lease is at it still.
        let looks = Lock(0)
        let acme = try SignedIn { now in
            looks.withLock {
                $0 += 1; return $0
            } > 1 ? now + .seconds(20) : now
        }
        let view = try acme.connect()
        acme.house.pass(.hours(1) - .seconds(10))
        let store = acme.room.store(acme.scope)
        #expect(try store.claimRefresh(of: view.record.id, version: view.record.grant.version) != nil)
        do {
            _ = try acme.other.live(view, by: acme.scope)
            Issue.record("a token that had ended was lent")
        } catch let problem as Problem {
            #expect(problem.code == "refresh_in_progress" && problem.headers["retry-after"] == "5")
        }
        #expect(acme.service.refreshes == 0)
    }

    @Test("A token that lives two seconds is renewed each time that it has ended")
    func shortLives() throws {
        let acme = try SignedIn()
        acme.service.set { $0.lifetime = 2 }
        var view = try acme.connect(lifetime: .seconds(2))
        for turn in 1...5 {
            acme.house.pass(.seconds(2))
            view = try acme.room.live(view, by: acme.scope)
            #expect(view.token == "access-\(turn)")
            #expect(try acme.room.live(view, by: acme.scope).token == "access-\(turn)")
        }
    }

    @Test("Tokens that were dropped while they were renewed stay dropped")
    func disconnectedMeanwhile() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set { $0.after = { _ = try? acme.room.disconnect(view.record.id, by: acme.scope) } }
        #expect(throws: Problem.self) { try acme.room.refresh(view, by: acme.scope) }
        #expect(try acme.view(view).record.grant.sealed == nil)
        #expect(try acme.view(view).status == .disconnected)
    }

    @Test("A slow service delays no other")
    func slowService() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.house.pass(.hours(1))
        let gate = DispatchSemaphore(value: 0)
        let order = Lock<[String]>([])
        let work = SideBySide((0..<20).map { ("slow", "slow \($0)") } + [("quick", "quick")])
        work.run(until: .now + .seconds(60), stopping: { false }) { item in
            if item == "quick" {
                for _ in 0..<20 { gate.signal() }
            } else {
                gate.wait()
            }
            order.withLock { $0.append(item) }
        }
        #expect(order.withLock { $0 }.count == 21)
        try acme.work()
        #expect(try acme.view(view).token == "access-1")
    }
}

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

@Suite struct TryingTests {
    /// Makes the service wait to answer until it is told to.
    final class Gate: Sendable {
        let arrived = DispatchSemaphore(value: 0)
        let opened = DispatchSemaphore(value: 0)
    }

    @Test("A test that passes tells whose access it is, and is audited once")
    func passing() throws {
        let office = try Office()
        let id = try office.telegram()
        for _ in 0..<3 {
            let (response, body) = try office.json(.post, "connections/\(id)/test", "{}")
            #expect(response.status == 200)
            #expect(body["ok"] == true && body["status"] == "connected")
            office.house.pass(.seconds(1))
        }
        #expect(office.service.requests.first?.hasPrefix("GET /bot\(Office.token)/getMe HTTP/1.1\r\n") == true)
        let (response, body) = try office.json(.get, "connections/\(id)")
        #expect(body["access"] == "Bot @acme_bot")
        #expect(body["metadata"]?[2] == ["label": "Joins groups", "value": "yes"])
        #expect(response.headers["etag"]?.hasPrefix("\"2-") == true)
        #expect(try office.json(.get, "connections/\(id)/status").body["connected"] == true)
        #expect(try office.house.auditedActions() == ["connection.created", "connection.tested"])
    }

    @Test(
        "An answer that is no success is an outcome in words, without the secret that it repeats",
        arguments: [
            (401, #"{"ok":false,"description":"Unauthorized: TOKEN"}"#, "refused these credentials (401)"),
            (404, #"{"ok":false,"description":"Not Found"}"#, "refused these credentials (404)"),
            (429, #"{"ok":false,"description":"Too Many Requests"}"#, "less often (429)"),
            (500, "oops TOKEN", "trouble of its own (500)"), (200, #"{"ok":false}"#, "does not count as success"),
            (200, "<html>", "does not count as success"), (302, "", "answered 302"),
        ])
    func failing(status: Int, answer: String, words: String) throws {
        let office = try Office { _ in StandIn.json(status, answer.replacing("TOKEN", with: Office.token)) }
        let id = try office.telegram()
        let (response, body) = try office.json(.post, "connections/\(id)/test", "{}")
        #expect(response.status == 200)
        #expect(body["ok"] == false && body["status"] == "error")
        #expect(body["detail"]?.text?.contains(words) == true, "\(body)")
        #expect(body["detail"]?.text?.contains(Office.token) == false)
        let detail = try office.json(.get, "connections/\(id)").body
        #expect(detail["status_detail"] == body["detail"] && detail["checked_at"] != .null)
        #expect(try !office.door.send(.get, "/connections/\(id)", as: office.admin).text().contains(Office.token))
        let (count, _) = try office.room.attentionCounts(office)
        #expect(count == 1)
    }

    @Test("A service that hangs up, and an address that may not be called, are outcomes too")
    func unreachable() throws {
        let office = try Office { _ in nil }
        let id = try office.telegram()
        #expect(
            try office.json(.post, "connections/\(id)/test", "{}").body["detail"]?.text?.hasPrefix(
                "Telegram could not be reached.") == true)
        let (_, made) = try office.json(
            .post, "connections",
            #"{"provider":"smtp","setup":{"host":"127.0.0.1","port":25,"from_email":"ana@acme.example"}}"#)
        let smtp = try #require(made["id"]?.text)
        let refused = try office.json(.post, "connections/\(smtp)/test", "{}").body
        #expect(refused["ok"] == false)
        #expect(refused["detail"]?.text?.contains("Destination not allowed") == true)
    }

    @Test("A mail server's user name without a password is no passed test")
    func halfSignIn() throws {
        let office = try Office()
        for half in [#""username":"ana""#, #""password":"secret""#] {
            let (_, made) = try office.json(
                .post, "connections",
                #"{"provider":"smtp","name":"n\#(half.count)","setup":{"host":"mail.example","from_email":"a@b.example",\#(half)}}"#
            )
            let id = try #require(made["id"]?.text)
            let body = try office.json(.post, "connections/\(id)/test", "{}").body
            #expect(body["ok"] == false && body["detail"]?.text?.contains("Enter both") == true, "\(body)")
        }
    }

    @Test("A service is left in peace for a second after each test, and a disabled connection is not tested")
    func resting() throws {
        let office = try Office()
        let id = try office.telegram()
        _ = try office.json(.post, "connections/\(id)/test", "{}")
        let (early, body) = try office.json(.post, "connections/\(id)/test", "{}")
        #expect(early.status == 429 && body["code"] == "tested_just_now" && early.headers["retry-after"] == "2")
        office.house.pass(.seconds(1))
        _ = try office.json(.patch, "connections/\(id)", #"{"enabled":false}"#)
        #expect(try office.status(id) == "disabled")
        #expect(try office.json(.post, "connections/\(id)/test", "{}").body["code"] == "connection_disabled")
        #expect(try office.json(.get, "connections/\(id)/credentials").response.status == 409)
        _ = try office.json(.patch, "connections/\(id)", #"{"enabled":true}"#)
        #expect(try office.status(id) == "connected")
        #expect(office.service.requests.count == 1)
    }

    @Test(
        "The outcome of a set-up that was changed, dropped or removed meanwhile is not recorded",
        arguments: ["changed", "disconnected", "removed"])
    func outrun(by change: String) throws {
        let gate = Gate()
        let office = try Office { _ in
            gate.arrived.signal()
            gate.opened.wait()
            return StandIn.telegram
        }
        let id = try office.telegram("alerts")
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            _ = try? office.door.send(.post, "/api/v1/connections/\(id)/test", as: office.admin, json: "{}")
            done.signal()
        }
        gate.arrived.wait()
        let path = "connections/\(id)"
        switch change {
        case "changed":
            let other = #"{"setup":{"bot_token":"654321:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"}}"#
            #expect(try office.json(.patch, path, other).response.status == 200)
        case "disconnected": #expect(try office.json(.post, path + "/disconnect", "{}").response.status == 200)
        default: #expect(try office.json(.delete, path).response.status == 204)
        }
        gate.opened.signal()
        done.wait()
        let row = try office.house.database.row("SELECT status, tested_at, metadata FROM connections")
        #expect(try row?.get("status") == "disconnected")
        #expect(try row?.get("tested_at", as: Timestamp?.self) == nil)
        #expect(try row?.get("metadata") == "{}")
        #expect(try !office.house.auditedActions().contains("connection.tested"))
    }

    @Test("A rename meanwhile is not undone by a change of the set-up")
    func noLostUpdate() throws {
        let office = try Office()
        let id = try office.telegram("first")
        inThreads(16) { number in
            let body =
                number % 2 == 0 ? #"{"setup":{"chat_id":"\#(number)"}}"# : #"{"name":"name-\#(number)"}"#
            try #require(try office.json(.patch, "connections/\(id)", body).response.status == 200)
        }
        #expect(try office.json(.get, "connections/\(id)").body["name"]?.text?.hasPrefix("name-") == true)
        let tag = try office.json(.get, "connections/\(id)").response.headers["etag"]
        #expect(tag?.hasPrefix("\"17-") == true)
    }

    @Test("Of many that swap names at once none is lost, and no name stands twice")
    func swaps() throws {
        let office = try Office()
        let ids = try ["default", "a", "b", "c"].map { try office.telegram($0) }
        inThreads(12) { number in
            let answer = try office.json(.patch, "connections/\(ids[number % 4])", #"{"name":"default"}"#)
            try #require([200, 409].contains(answer.response.status.code))
        }
        let names = try ids.map { try office.json(.get, "connections/\($0)").body["name"]?.text ?? "" }
        #expect(names.sorted() == ["a", "b", "c", "default"])
    }

    @Test("A set-up that is dropped while another is being stored is not stored in part")
    func droppedMeanwhile() throws {
        let office = try Office()
        let id = try office.telegram("alerts")
        inThreads(8) { number in
            let path = "connections/\(id)"
            let answer =
                number % 2 == 0
                ? try office.json(.post, path + "/disconnect", "{}")
                : try office.json(.patch, path, #"{"setup":{"chat_id":"\#(number)"}}"#)
            try #require([200, 422].contains(answer.response.status.code))
        }
        #expect(try office.sealed(id) == nil)
        #expect(try office.json(.get, "connections/\(id)").body["setup"]?["bot_token"] == .null)
    }

    @Test("AWS is asked who calls, signed for its region")
    func aws() throws {
        let office = try Office { _ in
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<GetCallerIdentityResponse><GetCallerIdentityResult>"
                + "<Arn>arn:aws:iam::123456789012:user/Alice</Arn><Account>123456789012</Account>"
                + "</GetCallerIdentityResult></GetCallerIdentityResponse>"
        }
        let (_, made) = try office.json(
            .post, "connections",
            """
            {"provider":"aws","setup":{"access_key_id":"AKIAIOSFODNN7EXAMPLE","region":"eu-central-1",
             "secret_access_key":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}}
            """)
        let id = try #require(made["id"]?.text)
        #expect(try office.json(.post, "connections/\(id)/test", "{}").body["ok"] == true)
        #expect(try office.json(.get, "connections/\(id)").body["access"] == "Account 123456789012")
        let request = try #require(office.service.requests.first).lowercased()
        #expect(request.contains("host: sts.eu-central-1.amazonaws.com\r\n"))
        #expect(request.contains("/eu-central-1/sts/aws4_request, signedheaders=content-type;host;x-amz-date, "))
        #expect(request.hasSuffix("\r\n\r\naction=getcalleridentity&version=2011-06-15"))
        #expect(!request.contains("wjalrxutnfemi"))
    }
}

extension Connections {
    fileprivate func attentionCounts(_ office: Office) throws -> (Int, Health) {
        let scope = try office.house.scope(of: office.admin)
        return (try attentionCount(scope), try healthFigures(scope))
    }
}

/// Runs a body in several threads at once; what one throws is an issue of the test.
private func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) {
    let failures = Failures()
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            do { try body(index) } catch { failures.texts.withLock { $0.append("\(error)") } }
            group.leave()
        }
    }
    group.wait()
    #expect(failures.texts.withLock { $0 } == [])
}

/// What went wrong in threads, which know nothing of the test that started them.
private final class Failures: Sendable {
    let texts = Lock<[String]>([])
}

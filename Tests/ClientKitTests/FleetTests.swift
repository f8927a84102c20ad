import ClientKit
import Foundation
import Testing
import ThreadKit

/// Collects until so many calls are over, or ten seconds have passed.
func outcomes(of fleet: Fleet, _ count: Int) throws -> [UInt64: Result<OutboundResponse, ClientError>] {
    var found: [UInt64: Result<OutboundResponse, ClientError>] = [:]
    let end = ContinuousClock.now + .seconds(10)
    while found.count < count, ContinuousClock.now < end {
        for outcome in try fleet.collect(waiting: .seconds(1)) {
            #expect(found.updateValue(outcome.result, forKey: outcome.number) == nil, "an outcome came twice")
        }
    }
    return found
}

func status(_ result: Result<OutboundResponse, ClientError>?) -> Int? {
    if case .success(let response)? = result { response.status } else { nil }
}

func code(_ result: Result<OutboundResponse, ClientError>?) -> ClientError.Code? {
    if case .failure(let error)? = result { error.code } else { nil }
}

@Suite("A fleet")
struct FleetTests {
    @Test("Two hundred calls under way at once each get their own answer, although a silent server holds some")
    func many() throws {
        let server = Server.answering { request in
            let path = request.split(separator: " ")[1].dropFirst()
            return "HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)"
        }
        let silent = Server { connection in
            _ = connection.readRequest()
            connection.waitForEnd()
        }
        let fleet = try Fleet(client())
        for number in 0..<20 {
            try fleet.launch(
                OutboundRequest(method: .post, url: silent.url, body: [], deadline: .seconds(2)),
                number: 1_000 + UInt64(number))
        }
        for number in 0..<200 {
            try fleet.launch(OutboundRequest(method: .get, url: "\(server.url)/\(number)"), number: UInt64(number))
        }
        #expect(fleet.count == 220)
        let first = try outcomes(of: fleet, 200)
        #expect(first.keys.allSatisfy { $0 < 200 }, "the silent ones come last")
        for (number, result) in first {
            #expect(try result.get().body == Array("\(number)".utf8))
        }
        let late = try outcomes(of: fleet, 20)
        #expect(late.count == 20 && late.values.allSatisfy { code($0) == .timedOut })
        #expect(fleet.count == 0)
    }

    @Test("A connection is used again by the next call to the same host")
    func reuse() throws {
        let connections = Lock(0)
        let server = Server { connection in
            connections.withLock { $0 += 1 }
            while !connection.readRequest().isEmpty {
                guard connection.write("HTTP/1.1 204 No Content\r\n\r\n") else { return }
            }
        }
        let fleet = try Fleet(client())
        for number in 0..<10 {
            try fleet.launch(OutboundRequest(method: .post, url: server.url, body: [1]), number: UInt64(number))
            #expect(status(try outcomes(of: fleet, 1)[UInt64(number)]) == 204)
        }
        #expect(connections.withLock { $0 } == 1)
    }

    @Test("An answer without end is cut at the limit, and its status counts")
    func endless() throws {
        let server = Server { connection in
            _ = connection.readRequest()
            guard connection.write("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n") else { return }
            let piece = "1000\r\n" + String(repeating: "x", count: 4_096) + "\r\n"
            while connection.write(piece) {}
        }
        let fleet = try Fleet(client())
        var request = OutboundRequest(method: .post, url: server.url, body: [], responseLimit: 10_000)
        request.cutsResponse = true
        try fleet.launch(request, number: 1)
        let answer = try #require(try outcomes(of: fleet, 1)[1]).get()
        #expect(answer.status == 503 && answer.body.count == 10_000)
        request.cutsResponse = false
        try fleet.launch(request, number: 2)
        #expect(code(try outcomes(of: fleet, 1)[2]) == .tooLarge)
    }

    @Test("A header without end is refused whatever is cut")
    func endlessHeader() throws {
        let server = Server { connection in
            _ = connection.readRequest()
            guard connection.write("HTTP/1.1 200 OK\r\n") else { return }
            while connection.write("X-More: \(String(repeating: "x", count: 1_000))\r\n") {}
        }
        let fleet = try Fleet(client())
        var request = OutboundRequest(method: .post, url: server.url, body: [])
        request.cutsResponse = true
        try fleet.launch(request, number: 1)
        #expect(code(try outcomes(of: fleet, 1)[1]) == .tooLarge)
    }

    @Test("Refused addresses, closed ports, unknown names and redirects are outcomes like any other")
    func failures() throws {
        let redirecting = Server.answering { _ in
            "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
        }
        let fleet = try Fleet(client())
        for (number, url) in [
            "http://10.1.2.3/", "http://127.0.0.1:1/", "http://no-such-name.invalid/", redirecting.url,
        ].enumerated() {
            try fleet.launch(OutboundRequest(method: .post, url: url, body: []), number: UInt64(number))
        }
        let found = try outcomes(of: fleet, 4)
        #expect(code(found[0]) == .refusedAddress && code(found[1]) == .unreachable && code(found[2]) == .unresolvable)
        #expect(status(found[3]) == 302 && redirecting.requests.count == 1)
    }

    @Test("What cannot be sent is refused at once and leaves nothing behind")
    func refusals() throws {
        let fleet = try Fleet(client())
        #expect(throws: ClientError.self) {
            try fleet.launch(OutboundRequest(method: .post, url: "ftp://example.com/"), number: 1)
        }
        #expect(throws: ClientError.self) {
            try fleet.launch(
                OutboundRequest(method: .post, url: "https://example.com/", headers: [("Host", "x")]), number: 2)
        }
        #expect(fleet.count == 0)
        #expect(try fleet.collect(waiting: .zero).isEmpty)
    }

    @Test("Another thread ends the wait, also before it begins and after the fleet is gone")
    func waking() throws {
        var fleet: Fleet? = try Fleet(client())
        let wake = try #require(fleet?.wake)
        wake()
        let started = ContinuousClock.now
        _ = try fleet?.collect(waiting: .seconds(20))
        let thread = try WorkerThread(name: "wakes") { wake() }
        _ = try fleet?.collect(waiting: .seconds(20))
        thread.join()
        #expect(ContinuousClock.now - started < .seconds(15))
        fleet = nil
        wake()
    }

    @Test("A fleet that ends with calls under way leaves no connection open")
    func ends() throws {
        let ended = Lock(0)
        let taken = Lock(0)
        let silent = Server { connection in
            _ = connection.readRequest()
            taken.withLock { $0 += 1 }
            if connection.waitForEnd() { ended.withLock { $0 += 1 } }
        }
        var fleet: Fleet? = try Fleet(client())
        for number in 0..<5 {
            try fleet?.launch(OutboundRequest(method: .post, url: silent.url, body: []), number: UInt64(number))
        }
        let end = ContinuousClock.now + .seconds(10)
        while taken.withLock({ $0 }) < 5, ContinuousClock.now < end {
            _ = try fleet?.collect(waiting: .milliseconds(20))
        }
        fleet = nil
        while ended.withLock({ $0 }) < 5, ContinuousClock.now < end { WorkerThread.rest(for: .milliseconds(5)) }
        #expect(ended.withLock { $0 } == 5)
    }
}

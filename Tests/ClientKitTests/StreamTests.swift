import ClientKit
import Foundation
import Glibc
import Synchronization
import Testing
import ThreadKit

/// Calls whose bodies are handed on while they move.
@Suite("A stream", .timeLimit(.minutes(15)))
struct StreamTests {
    private func get(_ server: Server, limit: Int = 1_000_000_000, deadline: Duration = .seconds(20)) -> OutboundRequest
    {
        OutboundRequest(method: .get, url: server.url + "/a?b=c", deadline: deadline, responseLimit: limit)
    }

    private func body(_ stream: OutboundStream) throws -> [UInt8] {
        var body: [UInt8] = []
        try stream.forEachPiece { body += $0 }
        return body
    }

    /// The code of the error that a call must end in.
    private func failure(_ call: () throws -> Void) -> ClientError.Code? {
        do {
            try call()
            Issue.record("the call succeeded")
            return nil
        } catch {
            return (error as? ClientError)?.code
        }
    }

    @Test("The header comes before the body is there, and each piece before the next is sent")
    func drip() throws {
        let mayGoOn = DispatchSemaphore(value: 0)
        let server = Server { connection in
            _ = connection.readRequest()
            connection.write(
                "HTTP/1.1 103 Early\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Two: 2\r\nTransfer-Encoding: chunked\r\n\r\n")
            for text in ["one", "two", "six"] {
                mayGoOn.wait()
                connection.write("3\r\n\(text)\r\n")
            }
            connection.write("0\r\nX-Trailer: late\r\n\r\n")
        }
        let stream = try client().open(get(server))
        #expect(stream.status == 200 && stream.headers["x-two"] == "2" && stream.headers["x"] == nil)
        mayGoOn.signal()
        var pieces: [String] = []
        try stream.forEachPiece {
            pieces.append(String(decoding: $0, as: UTF8.self))
            mayGoOn.signal()
        }
        #expect(pieces == ["one", "two", "six"] && stream.headers["x-trailer"] == nil)
        #expect(try body(stream).isEmpty, "a body is handed on once")
    }

    @Test("A large body arrives byte for byte, whatever its framing", arguments: ["length", "chunks", "close"])
    func large(framing: String) throws {
        let text = (0..<400_000).map { "\($0)," }.joined()
        let server = Server { connection in
            _ = connection.readRequest()
            let head = "HTTP/1.1 200 OK\r\n"
            switch framing {
            case "length": connection.write(head + "Content-Length: \(text.utf8.count)\r\n\r\n\(text)")
            case "chunks":
                connection.write(head + "Transfer-Encoding: chunked\r\n\r\n\(String(text.utf8.count, radix: 16))\r\n")
                connection.write("\(text)\r\n0\r\n\r\n")
            default: connection.write(head + "Connection: close\r\n\r\n\(text)")
            }
        }
        #expect(try body(client().open(get(server))) == Array(text.utf8))
    }

    @Test("A connection serves one stream after the other, and a send in between does not disturb it")
    func kept() throws {
        let connections = Atomic<Int>(0)
        let server = Server { connection in
            connections.add(1, ordering: .relaxed)
            while !connection.readRequest().isEmpty {
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            }
        }
        let client = client()
        for _ in 0..<5 { #expect(try body(client.open(get(server))) == Array("hello".utf8)) }
        try client.open(get(server)).discard()
        #expect(connections.load(ordering: .relaxed) == 1)
        _ = try client.open(get(server))
        #expect(try body(client.open(get(server))) == Array("hello".utf8))
        #expect(connections.load(ordering: .relaxed) == 2, "a stream that is dropped takes its connection with it")
    }

    @Test("An answer without a body is over with its header", arguments: [204, 304])
    func bodiless(status: Int) throws {
        let server = Server.answering { _ in "HTTP/1.1 \(status) Fine\r\nETag: \"1\"\r\nContent-Length: 7\r\n\r\n" }
        let stream = try client().open(get(server))
        #expect(try stream.status == status && body(stream).isEmpty)
        var head = get(server)
        head.method = .head
        #expect(try body(client().open(head)).isEmpty)
    }

    @Test("A body is sent while it is read, with its length or in chunks", arguments: [true, false])
    func upload(isLengthKnown: Bool) throws {
        let server = Server { connection in
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while !String(decoding: bytes.suffix(12), as: UTF8.self).hasSuffix("999999,") || isLengthKnown == false {
                let count = unsafe recv(connection.descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                bytes += buffer.prefix(count)
                if !isLengthKnown, bytes.suffix(5).elementsEqual("0\r\n\r\n".utf8) { break }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let head = text.prefix(upTo: text.firstRange(of: "\r\n\r\n")!.lowerBound)
            connection.write(
                "HTTP/1.1 200 OK\r\nX-Count: \(bytes.count - head.utf8.count - 4)\r\nContent-Length: \(head.utf8.count)\r\n\r\n\(head)"
            )
        }
        let text = Array((0..<1_000_000).map { "\($0)," }.joined().utf8)
        let place = Atomic<Int>(0)
        let upload = OutboundUpload(length: isLengthKnown ? text.count : nil) { count in
            let start = place.add(min(count, 50_000), ordering: .relaxed).oldValue
            return start < text.count ? Array(text[start..<min(text.count, start + min(count, 50_000))]) : []
        }
        var request = get(server)
        request.method = .patch
        request.headers = [("Content-Type", "application/octet-stream")]
        let stream = try client().open(request, sending: upload)
        let head = String(decoding: try body(stream), as: UTF8.self)
        #expect(head.hasPrefix("PATCH /a?b=c HTTP/1.1\r\n") && !head.contains("Expect"))
        #expect(head.contains("Content-Type: application/octet-stream"))
        let count = try #require(stream.headers["x-count"].flatMap { Int($0) })
        if isLengthKnown {
            #expect(head.contains("Content-Length: \(text.count)") && count == text.count)
        } else {
            #expect(head.contains("Transfer-Encoding: chunked") && count > text.count)
        }
    }

    @Test("A body that breaks off gives the call up, and the server does not get it as a whole")
    func brokenUpload() throws {
        let isWhole = Atomic<Int>(0)
        let server = Server { connection in
            _ = connection.readHead()
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var all: [UInt8] = []
            while case let count = unsafe recv(connection.descriptor, &buffer, buffer.count, 0), count > 0 {
                all += buffer.prefix(count)
            }
            isWhole.store(all.suffix(5).elementsEqual("0\r\n\r\n".utf8) ? 2 : 1, ordering: .releasing)
        }
        let calls = Atomic<Int>(0)
        let upload = OutboundUpload(length: nil) { count in
            calls.add(1, ordering: .relaxed).newValue > 3 ? nil : [UInt8](repeating: 1, count: 1_000)
        }
        var request = get(server)
        request.method = .put
        #expect(failure { _ = try client().open(request, sending: upload) } == .abandoned)
        while isWhole.load(ordering: .acquiring) == 0 { Thread.sleep(forTimeInterval: 0.002) }
        #expect(isWhole.load(ordering: .acquiring) == 1)
    }

    @Test("A body that breaks off on its way here is an error and not an end", arguments: ["length", "chunks"])
    func brokenDownload(framing: String) throws {
        let server = Server { connection in
            _ = connection.readRequest()
            let framed =
                framing == "length" ? "Content-Length: 100\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n64\r\n"
            connection.write("HTTP/1.1 200 OK\r\n\(framed)half")
        }
        let stream = try client().open(get(server))
        #expect(stream.status == 200)
        #expect(failure { try stream.forEachPiece { _ in } } == .badResponse)
    }

    @Test("Silence ends a call after the idle time, before the header and after it")
    func silence() throws {
        let mute = Server { connection in
            _ = connection.readRequest()
            connection.waitForEnd()
        }
        #expect(failure { _ = try client().open(get(mute), idle: .milliseconds(80)) } == .timedOut)
        let stalled = Server { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            _ = connection.readHead()
        }
        let stream = try client().open(get(stalled), idle: .milliseconds(80))
        #expect(failure { try stream.forEachPiece { _ in } } == .timedOut)
    }

    @Test("The deadline ends a call that keeps moving")
    func deadline() throws {
        let server = Server { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            while connection.write("x") { usleep(5_000) }
        }
        let began = ContinuousClock.now
        let stream = try client().open(get(server, deadline: .milliseconds(300)))
        #expect(failure { try stream.forEachPiece { _ in } } == .timedOut)
        #expect(ContinuousClock.now - began < .seconds(5))
    }

    @Test("A body beyond the limit is refused, announced or not")
    func limit() throws {
        let announced = Server { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
            connection.waitForEnd()
        }
        #expect(failure { _ = try client().open(get(announced, limit: 1_000)) } == .tooLarge)
        let endless = Server { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while connection.write(String(repeating: "x", count: 1_000)) {}
        }
        var taken = 0
        let stream = try client().open(get(endless, limit: 1_000_000))
        #expect(failure { try stream.forEachPiece { taken += $0.count } } == .tooLarge)
        #expect(taken <= 1_000_000)
    }

    @Test(
        "Who takes the pieces can stop, by an error of their own or by not wanting more, and the server is hung up on")
    func stop() throws {
        struct Enough: Error {}
        let hungUp = Atomic<Int>(0)
        let server = Server { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbeginning")
            if connection.waitForEnd() { hungUp.add(1, ordering: .releasing) }
        }
        let client = client()
        let stream = try client.open(get(server))
        #expect(throws: Enough.self) { try stream.forEachPiece { _ in throw Enough() } }
        let other = try client.open(get(server))
        #expect(failure { try other.forEachPiece({ _ in }, while: { false }) } == .abandoned)
        let mute = Server { connection in
            _ = connection.readRequest()
            connection.waitForEnd()
        }
        #expect(failure { _ = try client.open(get(mute), while: { false }) } == .abandoned)
        while hungUp.load(ordering: .acquiring) < 2 { Thread.sleep(forTimeInterval: 0.002) }
    }

    @Test("The server waits while a piece is being taken")
    func backPressure() throws {
        let sent = Atomic<Int>(0)
        let server = Server { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            for _ in 0..<1_000 where connection.write(String(repeating: "x", count: 100_000)) {
                sent.add(100_000, ordering: .relaxed)
            }
        }
        let stream = try client().open(get(server))
        var taken = 0
        try stream.forEachPiece { piece in
            taken += piece.count
            guard taken < 300_000 else { return }
            // Long enough for all of it to come if nobody held it back.
            usleep(30_000)
        }
        #expect(taken == 100_000_000)
        let held = try client().open(get(server))
        let before = sent.load(ordering: .relaxed)
        usleep(100_000)
        #expect(sent.load(ordering: .relaxed) - before < 20_000_000, "nothing was taken, yet the server could send on")
        _ = held
    }

    @Test("A redirect is an answer, and an address inside is refused as for any call")
    func policy() throws {
        let server = Server.answering { _ in "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n" }
        #expect(try client().open(get(server)).status == 302 && server.requests.count == 1)
        #expect(failure { _ = try Client(version: "1").open(get(server)) } == .refusedAddress)
        #expect(server.requests.count == 1)
    }

    @Test(
        "What speaks no HTTP, or hangs up without a word, is no answer",
        arguments: ["", "SSH-2.0-x\r\n", "HTTP/1.1 200"])
    func noAnswer(text: String) {
        let server = Server { connection in
            _ = connection.readRequest()
            connection.write(text)
        }
        #expect(failure { _ = try client().open(get(server)) } == .badResponse)
    }
}

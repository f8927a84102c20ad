import Foundation
import HTTPKit
import Synchronization
import Testing
import ThreadKit

@testable import FastCGIKit

/// Requests that are passed on: bodies read while they arrive, answers sent while they are made.
@Suite(.timeLimit(.minutes(15))) struct PassingOn {
    private static func limits(bytes: Int = 1_000_000, silence: Int = 30) -> Limits {
        var limits = Limits()
        limits.passThrough = PassThrough("/api/*/proxy")
        limits.passedBodyBytes = bytes
        limits.bodyBytes = 10
        limits.silence = silence
        return limits
    }

    /// Reads a passed body to its end and says how much there was, or what was wrong with it.
    @Sendable private static func count(_ request: Request) -> Response {
        guard let body = request.incoming else { return .text("whole \(request.body.count)") }
        do throws(Problem) {
            var (count, sum) = (0, 0)
            while true {
                let piece = try body.read(atMost: 5_000)
                if piece.isEmpty { break }
                count += piece.count
                sum = piece.reduce(sum) { ($0 &* 31 &+ Int($1)) & 0xffff_ffff }
            }
            return .text("\(request.path.rest ?? "") \(body.length ?? -1) \(count) \(sum)")
        } catch {
            return error.response(requestID: request.id)
        }
    }

    private static func sum(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff_ffff } }

    @Test("A body that is passed on arrives byte for byte, with its length and without it")
    func uploads() throws {
        let worker = try Worker(limits: Self.limits(), respond: Self.count)
        defer { worker.end() }
        let gateway = try Gateway(worker)
        for size in [0, 1, 4_999, 5_000, 5_001, 8_192, 100_000, 1_000_000] {
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let known = try gateway.ask(
                Gateway.request("POST", "/api/x/proxy/a", body: body, length: "\(size)", padding: size % 8))
            #expect(known.isWhole && known.text == "/a \(size) \(size) \(Self.sum(body))")
            let chunked = try gateway.ask(
                Gateway.request(
                    "POST", "/api/x/proxy/a", [("HTTP_TRANSFER_ENCODING", "chunked")], body: body, length: ""))
            #expect(chunked.text == "/a -1 \(size) \(Self.sum(body))")
        }
    }

    @Test("What follows the address stays as it came, and a look-alike of the address is read like any other")
    func rest() throws {
        let worker = try Worker(limits: Self.limits()) {
            .text("\($0.path.pattern)|\($0.path.rest ?? "-")|\($0.rawQuery)")
        }
        defer { worker.end() }
        let gateway = try Gateway(worker)
        for (target, heard) in [
            ("/api/x/proxy", "api/x/proxy||"), ("/api/x/proxy/", "api/x/proxy|/|"),
            ("/api/x/proxy/a%2Fb//c?d=%2f&e=+", "api/x/proxy|/a%2Fb//c|d=%2f&e=+"),
            ("/api/%78/proxy/%", "api/x/proxy|/%|"), ("/api/x/prox%79/a", "api/x/proxy/a|-|"),
            ("/api/x/proxyy", "api/x/proxyy|-|"), ("/api/proxy/a", "api/proxy/a|-|"),
        ] {
            #expect(try gateway.ask(Gateway.request("GET", target)).text == heard)
        }
        #expect(try gateway.ask(Gateway.request("GET", "/api//proxy/a")).status == 400)
        #expect(try gateway.ask(Gateway.request("GET", "/api/%2e%2e/proxy/a")).status == 400)
    }

    @Test("A body that is passed on has a limit of its own, announced or not, and others keep theirs")
    func limits() throws {
        let worker = try Worker(limits: Self.limits(bytes: 100), respond: Self.count)
        defer { worker.end() }
        let ask = { (request: [UInt8]) in try Gateway(worker).ask(request) }
        let (fits, large) = ([UInt8](repeating: 1, count: 100), [UInt8](repeating: 1, count: 101))
        #expect(try ask(Gateway.request("POST", "/api/x/proxy", body: fits)).status == 200)
        #expect(try ask(Gateway.request("POST", "/api/x/proxy", body: large)).status == 413)
        let chunked = [("HTTP_TRANSFER_ENCODING", "chunked")]
        #expect(try ask(Gateway.request("POST", "/api/x/proxy", chunked, body: fits, length: "")).status == 200)
        #expect(
            try ask(Gateway.request("POST", "/api/x/proxy", chunked, body: large, length: "")).status == 413)
        #expect(try ask(Gateway.request("POST", "/a", body: Array(fits.prefix(10)))).text == "whole 10")
        #expect(try ask(Gateway.request("POST", "/a", body: Array(fits.prefix(11)))).status == 413)
    }

    @Test("Who is refused hears of it without sending the body, and who sends it all the same hears of it too")
    func unread() throws {
        let worker = try Worker(lanes: 1, limits: Self.limits()) { _ in .text("no") }
        defer { worker.end() }
        let whole = Gateway.request("POST", "/api/x/proxy", body: [UInt8](repeating: 1, count: 200_000))
        for sent in [whole.prefix(400), whole.dropLast(100_000), whole[...]] {
            let gateway = try Gateway(worker)
            let began = ContinuousClock.now
            try gateway.send(Array(sent))
            let answer = try gateway.answer()
            #expect(answer.isWhole && answer.text == "no" && ContinuousClock.now - began < .seconds(5))
            gateway.hangUp()
        }
        let gateway = try Gateway(worker)
        for _ in 0..<3 {
            #expect(try gateway.ask(Gateway.request("GET", "/api/x/proxy")).text == "no", "without a body it is kept")
        }
    }

    @Test("A body that breaks off, or stays silent, is told from one that ends")
    func brokenOff() throws {
        let worker = try Worker(lanes: 2, limits: Self.limits(silence: 1), respond: Self.count)
        defer { worker.end() }
        for (headers, length) in [([], "50000"), ([("HTTP_TRANSFER_ENCODING", "chunked")], "")] {
            let whole = Gateway.request(
                "POST", "/api/x/proxy", headers, body: [UInt8](repeating: 1, count: 50_000), length: length)
            let gateway = try Gateway(worker)
            try gateway.send(whole.dropLast(30_000))
            #expect(try gateway.answer().status == 400)
        }
        let short = try Gateway(worker).ask(
            Gateway.request("POST", "/api/x/proxy", body: [1, 2, 3], length: "4"))
        #expect(short.status == 400 && short.text.contains("body_broke_off"))
    }

    @Test("A body kept beyond its request has nothing more to give")
    func kept() throws {
        let keep = Lock<IncomingBody?>(nil)
        let worker = try Worker(limits: Self.limits()) { request in
            keep.withLock { $0 = request.incoming }
            return .text("kept")
        }
        defer { worker.end() }
        #expect(try Gateway(worker).ask(Gateway.request("POST", "/api/x/proxy", body: [1, 2, 3])).text == "kept")
        let body = try #require(keep.withLock { $0 })
        try waitUntil { body.isAbandoned }
        #expect(throws: Problem.self) { try body.read(atMost: 1) }
    }

    @Test("A small piece is sent on before the next one is made, with the head")
    func drip() throws {
        let mayGoOn = DispatchSemaphore(value: 0)
        let worker = try Worker(lanes: 1) { _ in
            Response(
                headers: ["content-type": "text/event-stream"],
                body: .relay { write, flush in
                    for number in 0..<3 {
                        try write(Array("data: \(number)\n\n".utf8))
                        #expect(flush())
                        mayGoOn.wait()
                    }
                })
        }
        defer { worker.end() }
        let gateway = try Gateway(worker)
        try gateway.send(Gateway.request())
        for number in 0..<3 {
            let piece = try #require(gateway.record())
            #expect(String(decoding: piece.content, as: UTF8.self).hasSuffix("data: \(number)\n\n"))
            mayGoOn.signal()
        }
        #expect(try gateway.answer().isWhole)
    }

    @Test("A relayed answer has the length that it says, waits for its reader, and looks broken when it breaks off")
    func relayed() throws {
        struct Broken: Error {}
        let worker = try Worker(lanes: 1) { request in
            let pieces = request.path[0] == "broken" ? 3 : 100
            return Response(
                headers: ["content-length": "10000000"],
                body: .relay { write, _ in
                    for _ in 0..<pieces { try write([UInt8](repeating: 0x78, count: 100_000)) }
                    if pieces < 100 { throw Broken() }
                })
        }
        defer { worker.end() }
        let gateway = try Gateway(worker)
        let answer = try gateway.ask(Gateway.request())
        #expect(answer.isWhole && answer.body.count == 10_000_000 && answer.head["content-length"] == ["10000000"])
        let head = try gateway.ask(Gateway.request("HEAD"))
        #expect(head.isWhole && head.body.isEmpty && head.head["content-length"] == ["10000000"])
        let broken = try gateway.ask(Gateway.request("GET", "/broken"))
        #expect(!broken.isWhole && gateway.isClosed())
        #expect(try Gateway(worker).ask(Gateway.request()).isWhole)
    }

    @Test("A producer hears that its reader went away, when it writes and when it waits", arguments: [true, false])
    func gone(isWaiting: Bool) throws {
        let heard = Atomic<Bool>(false)
        let begun = DispatchSemaphore(value: 0)
        let worker = try Worker(lanes: 1) { request in
            guard request.path[0] == "long" else { return .text("fine") }
            return Response(
                body: .relay { write, flush in
                    begun.signal()
                    defer { heard.store(true, ordering: .releasing) }
                    if isWaiting {
                        while flush() { Thread.sleep(forTimeInterval: 0.001) }
                    } else {
                        while true { try write([UInt8](repeating: 0, count: 10_000)) }
                    }
                })
        }
        defer { worker.end() }
        let gateway = try Gateway(worker)
        try gateway.send(Gateway.request("GET", "/long"))
        begun.wait()
        gateway.hangUp()
        try waitUntil { heard.load(ordering: .acquiring) }
        #expect(try Gateway(worker).ask(Gateway.request()).text == "fine")
    }

    @Test("A lane that passes something on says that it moves")
    func moves() throws {
        let count = Atomic<Int>(0)
        let worker = try Worker(limits: Self.limits()) { request in
            guard request.incoming != nil else { return .text("short") }
            _ = Self.count(request)
            return Response(body: .relay { write, _ in for _ in 0..<10 { try write([1]) } })
        } moved: {
            count.add(1, ordering: .relaxed)
        }
        defer { worker.end() }
        #expect(try Gateway(worker).ask(Gateway.request()).isWhole && count.load(ordering: .relaxed) == 0)
        let body = [UInt8](repeating: 1, count: 100_000)
        #expect(try Gateway(worker).ask(Gateway.request("POST", "/api/x/proxy", body: body)).isWhole)
        #expect(count.load(ordering: .relaxed) >= 20)
    }
}

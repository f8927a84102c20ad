import Foundation
import HTTPKit
import Synchronization
import Testing

@testable import FastCGIKit

@Suite(.timeLimit(.minutes(15))) struct Answering {
    @Test("A streamed body arrives whole, piece by piece")
    func streamed() throws {
        let worker = try Worker { _ in
            Response(
                headers: ["content-type": "text/csv"],
                body: .stream { write in
                    for number in 0..<2_000 {
                        try write(Array("\(number),".utf8) + [UInt8](repeating: 0x78, count: 100))
                    }
                    try write([])
                })
        }
        defer { worker.end() }
        let gateway = try Gateway(worker)
        let answer = try gateway.ask(Gateway.request())
        #expect(
            answer.isWhole && answer.head["content-length"] == nil
                && answer.body.count == (0..<2_000).reduce(0) { $0 + "\($1),".utf8.count + 100 })
        #expect(try gateway.ask(Gateway.request("HEAD")).body.isEmpty)
        #expect(try gateway.ask(Gateway.request()).isWhole)
    }

    @Test("A streamed body that breaks off does not look whole")
    func brokenOff() throws {
        struct Broken: Error {}
        let worker = try Worker(lanes: 1) { request in
            guard request.path[0] == "broken" else { return .text("fine") }
            return Response(
                body: .stream { write in
                    try write(Array("first".utf8))
                    throw Broken()
                })
        }
        defer { worker.end() }
        let gateway = try Gateway(worker)
        let answer = try gateway.ask(Gateway.request("GET", "/broken"))
        #expect(!answer.isWhole && gateway.isClosed())
        #expect(try Gateway(worker).ask(Gateway.request()).text == "fine")
    }

    @Test("A header value with a line break is dropped, not sent")
    func injection() throws {
        let worker = try Worker { _ in
            Response(
                status: 303,
                headers: ["location": "/a\r\nset-cookie: x=1", "x-a": "1\n2", "x-b": "a\0b", "x-c": "fine"])
        }
        defer { worker.end() }
        let answer = try Gateway(worker).ask(Gateway.request())
        #expect(answer.status == 303 && Set(answer.head.keys) == ["status", "x-c", "content-length"])
    }

    @Test("304 and 204 announce no length")
    func bodiless() throws {
        let worker = try Worker {
            $0.path[0] == "none" ? .noContent : Response(status: 304, headers: ["etag": "\"1\""])
        }
        defer { worker.end() }
        let gateway = try Gateway(worker)
        for target in ["/none", "/same"] {
            let answer = try gateway.ask(Gateway.request("GET", target))
            #expect(answer.head["content-length"] == nil && answer.body.isEmpty && answer.isWhole)
        }
    }

    @Test("A gateway that hangs up in the middle of a request or an answer costs the lane nothing")
    func hangUps() throws {
        let worker = try Worker(lanes: 1) { request in
            request.path[0] == "big" ? Response(body: .bytes([UInt8](repeating: 1, count: 20_000_000))) : .text("fine")
        }
        defer { worker.end() }
        let whole = Gateway.request("POST", "/a", body: [UInt8](repeating: 1, count: 50))
        for cut in stride(from: 0, to: whole.count, by: 7) {
            let gateway = try Gateway(worker)
            try gateway.send(Array(whole[..<cut]))
            gateway.hangUp()
        }
        for _ in 0..<3 {
            let gateway = try Gateway(worker)
            try gateway.send(Gateway.request("GET", "/big"))
            #expect(gateway.record()?.content.isEmpty == false)
            gateway.hangUp()
        }
        #expect(try Gateway(worker).ask(Gateway.request()).text == "fine" && worker.livingLanes == 1)
    }

    @Test("Garbage closes its connection and leaves the lane ready")
    func garbage() throws {
        let worker = try Worker(lanes: 1)
        defer { worker.end() }
        var hostile: [[UInt8]] = [
            Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), [UInt8](repeating: 0, count: 64),
            [UInt8](repeating: 0xff, count: 64),
            Gateway.record(.begin, [0, 1]), Gateway.record(.params, [1, 1, 0x61]), Gateway.record(.stdin),
            Gateway.record(.begin, [0, 1, 1, 0, 0, 0, 0, 0])
                + Gateway.record(.params, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])
                + Gateway.record(.params),
            Gateway.record(.begin, [0, 1, 1, 0, 0, 0, 0, 0]) + Gateway.record(.params, [5]) + Gateway.record(.params)
                + Gateway.record(.stdin),
            Gateway.record(.end, [UInt8](repeating: 0, count: 8)), Gateway.record(.abort),
        ]
        for _ in 0..<100 { hostile.append((0..<Int.random(in: 1...60)).map { _ in .random(in: 0...255) }) }
        for bytes in hostile {
            let gateway = try Gateway(worker)
            try gateway.send(bytes)
            shutdown(gateway.descriptor, Int32(SHUT_WR))
            _ = try? gateway.answer()
            gateway.hangUp()
        }
        #expect(try Gateway(worker).ask(Gateway.request()).text == "a 0" && worker.livingLanes == 1)
    }

    @Test("A gateway that does not keep the connection finds it closed after the answer")
    func notKept() throws {
        let worker = try Worker(lanes: 1)
        defer { worker.end() }
        let gateway = try Gateway(worker)
        #expect(try gateway.ask(Gateway.request(keep: false)).isWhole && gateway.isClosed())
    }
}

@Suite(.timeLimit(.minutes(15))) struct Draining {
    @Test("Lanes that wait leave at once")
    func idle() throws {
        let worker = try Worker(lanes: 8)
        worker.acceptor.beginDraining()
        try waitUntil { worker.livingLanes == 0 }
        worker.end()
    }

    @Test("A lane with a kept connection goes on answering until the gateway closes it, and then leaves")
    func kept() throws {
        let worker = try Worker(lanes: 3)
        defer { worker.end() }
        let gateway = try Gateway(worker)
        #expect(try gateway.ask(Gateway.request()).isWhole)
        worker.acceptor.beginDraining()
        try waitUntil { worker.livingLanes == 1 }
        for _ in 0..<5 { #expect(try gateway.ask(Gateway.request("POST", "/x", body: [1])).text == "x 1") }
        #expect(worker.livingLanes == 1)
        gateway.hangUp()
        try waitUntil { worker.livingLanes == 0 }
    }

    @Test("A request at work when the worker drains is answered")
    func atWork() throws {
        let (begun, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let worker = try Worker(lanes: 2) { _ in
            begun.signal()
            mayEnd.wait()
            return .text("done")
        }
        defer { worker.end() }
        let gateway = try Gateway(worker)
        try gateway.send(Gateway.request(keep: false))
        begun.wait()
        worker.acceptor.beginDraining()
        mayEnd.signal()
        #expect(try gateway.answer().text == "done")
        try waitUntil { worker.livingLanes == 0 }
    }

    @Test("A connection that stays silent in the middle of a request is given up")
    func silence() throws {
        var limits = Limits()
        limits.silence = 1
        let worker = try Worker(lanes: 1, limits: limits)
        defer { worker.end() }
        let stalled = try Gateway(worker)
        try stalled.send(Array(Gateway.request("POST", "/a", body: [1, 2, 3]).dropLast(12)))
        #expect(try Gateway(worker).ask(Gateway.request()).text == "a 0")
    }
}

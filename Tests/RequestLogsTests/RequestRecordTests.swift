import Domain
import JSONKit
import Testing
import TimeKit

@testable import RequestLogs

@Suite struct RequestRecordTests {
    @Test("A request reads back as it was written")
    func roundTrip() throws {
        var request = LogEntry.sample.request
        #expect(RequestRecord.decode(RequestRecord.encode(request)) == request)
        request.actorID = nil
        request.connection = nil
        request.path = "/straße/☂"
        #expect(RequestRecord.decode(RequestRecord.encode(request)) == request)
    }

    @Test("Of a record that is cut off or of another version nothing is read")
    func broken() {
        let bytes = RequestRecord.encode(LogEntry.sample.request)
        for count in 0..<bytes.count { #expect(RequestRecord.decode(Array(bytes.prefix(count))) == nil) }
        #expect(RequestRecord.decode([2] + bytes.dropFirst()) == nil)
    }

    @Test("Texts are cut to what the columns hold, and what is ASCII by its nature stays so")
    func caps() {
        let long = String(repeating: "ü", count: 3_000)
        let request = LoggedRequest(
            at: Timestamp(seconds: 0), organization: Identifier(.real), surface: .gate, actorKind: .apiKey,
            actorID: nil,
            method: long, route: long, path: long, status: 200, duration: .seconds(-3), bytes: -1, address: long,
            userAgent: long, requestID: "a\u{0}b\nc", code: long)
        #expect(request.method == String(repeating: "?", count: 16) && request.address.count == 45)
        #expect(request.route.count == 160 && request.path.count == 500 && request.userAgent.count == 200)
        #expect(request.requestID == "a?b?c" && request.duration == .zero && request.bytes == 0)
    }

    private let org = "0197c2f4-0000-7000-8000-000000000001"
    private let key = "0197c2f4-0000-7000-8000-000000000002"

    private func read(_ text: String) -> GateLine.Finding { GateLine.read(Array(text.utf8)) }

    @Test("A line of nginx is a request of its key; without one it is a stranger's")
    func gateLine() throws {
        let line = """
            {"v":1,"time":1800000000.123,"request_id":"abc","org":"\(org)","key":"\(key)","method":"GET",\
            "uri":"/shop/orders?token=SECRET","route":"orders","status":200,"bytes":12,"seconds":0.004,\
            "address":"203.0.113.9","agent":"curl","code":"valid"}
            """
        guard case .request(let request) = read(line) else {
            Issue.record("no request")
            return
        }
        #expect(request.path == "/shop/orders" && request.surface == .gate && request.route == "orders")
        #expect(request.at == Timestamp(microseconds: 1_800_000_000_123_000) && request.duration == .milliseconds(4))
        #expect(request.actorID == Identifier<APIKey>(key)?.bytes && request.bytes == 12)
        guard case .stranger = read(line.replacing(key, with: "")) else {
            Issue.record("no stranger")
            return
        }
    }

    @Test(
        "What a client may have put into a line costs at most that line",
        arguments: [
            "", "{}", "[]", "{\"v\":2}", "\u{fffd}", "{\"v\":1,\"time\":\"nan\"}", "{\"v\":1,\"time\":1e300}",
            "{\"v\":1,\"time\":1800000000,\"time\":1}", String(repeating: "[", count: 60_000),
        ])
    func hostileLine(_ text: String) {
        guard case .unreadable = read(text) else {
            Issue.record("it was read")
            return
        }
    }

    @Test("Numbers out of any range are held within one")
    func hostileNumbers() throws {
        let line = """
            {"v":1,"time":"1800000000.5","org":"\(org)","key":"\(key)","status":"nan","bytes":1e300,"seconds":-5,"method":7}
            """
        guard case .request(let request) = read(line) else {
            Issue.record("no request")
            return
        }
        #expect(request.status == 0 && request.duration == .zero && request.bytes == 1_000_000_000_000_000)
    }
}

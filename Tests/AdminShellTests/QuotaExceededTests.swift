import Foundation
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import Testing
import TimeKit

@testable import AdminShell

@Suite struct QuotasExceeded {
    @Test("A refused caller is told which limits it reached, in the draft's words, and when to come back")
    func problem() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString)").path
        defer { for end in ["", ".lock"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let limiter = try Limiter(file: path, subjects: 64, log: Log(threshold: .error))
        let (key, now) = (LimitSubject("api-key", [1]), Timestamp(seconds: 1_700_000_000))
        let quotas = [Quota.minute(1), .hour(1), .day(10)]
        var headers = Headers()
        headers.describe(limiter.take(from: quotas, of: key, at: now))
        #expect(headers["ratelimit-policy"] == #""minute";q=1;w=60,"hour";q=1;w=3600,"day";q=10;w=86400"#)
        #expect(headers["ratelimit"]?.hasPrefix(#""minute";r=0;t=61,"hour";r=0;t="#) == true)
        #expect(headers["retry-after"] == nil)

        let verdict = limiter.take(from: quotas, of: key, at: now + .seconds(1))
        let response = Problem.quotaExceeded(verdict).response(requestID: "r")
        #expect(response.status == 429 && response.headers["content-type"] == "application/problem+json")
        let seconds = try #require(LimitFields.retryAfter(verdict))
        #expect(response.headers["retry-after"] == "\(seconds)" && (3_599...3_661).contains(seconds))
        #expect(response.headers.all("ratelimit").count == 1 && response.headers["ratelimit-policy"] != nil)
        guard case .bytes(let bytes) = response.body else { return #expect(Bool(false), "the answer is whole") }
        let body = try JSON(parsing: bytes)
        #expect(body["type"]?.text == "https://iana.org/assignments/http-problem-types#quota-exceeded")
        #expect(body["violated-policies"] == ["minute", "hour"] && body["code"] == "rate_limited")
        #expect(body["status"] == 429 && body["title"]?.text?.isEmpty == false && body["request_id"] == "r")
    }
}

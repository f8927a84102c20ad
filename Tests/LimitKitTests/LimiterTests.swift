import Foundation
import LogKit
import Testing
import TimeKit

@testable import LimitKit

@Suite("Limits")
struct LimiterTests {
    @Test("What was taken counts for exactly its window")
    func window() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString)").path
        defer { for end in ["", ".lock"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let limiter = try Limiter(file: path, subjects: 64, log: Log(threshold: .error))
        let subject = LimitSubject("key", [1])
        let now = Timestamp(seconds: 1_000_000)
        for taken in 1...3 {
            let verdict = limiter.take(from: [.minute(3)], of: subject, at: now)
            #expect(verdict.isAllowed && verdict.standings[0].remaining == 3 - taken)
        }
        #expect(!limiter.take(from: [.minute(3)], of: subject, at: now + .seconds(60)).isAllowed)
        #expect(limiter.take(from: [.minute(3)], of: subject, at: now + .milliseconds(60_016)).isAllowed)
    }
}

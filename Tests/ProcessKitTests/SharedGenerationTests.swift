import Foundation
import Testing

@testable import ProcessKit

@Suite struct SharedGenerationTests {
    private let now = MonotonicTime(milliseconds: 1_000_000)

    @Test("Whoever has the file sees a change made by another, and a count that moved")
    func shared() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let one = try SharedGeneration(file: path)
        let other = try SharedGeneration(file: path)
        let first = other.number
        one.advance()
        #expect(other.number != first)
        one.saw(7, at: now)
        let second = other.number
        other.saw(7, at: now)
        #expect(one.number == second, "nothing has moved")
        // A restored database may count less than before.
        other.saw(5, at: now)
        #expect(one.number != second)
    }

    @Test("How long ago somebody looked is not believed of another start of the machine")
    func age() throws {
        let generation = try SharedGeneration()
        #expect(generation.age(at: now) == nil)
        generation.saw(1, at: now)
        #expect(generation.age(at: now + .seconds(2)) == .seconds(2))
        // Another process may have read its clock a moment later.
        #expect(generation.age(at: MonotonicTime(milliseconds: 999_500)) == .zero)
        #expect(generation.age(at: MonotonicTime(milliseconds: 5_000)) == nil)
    }
}

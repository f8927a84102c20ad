import Testing

@testable import ThreadKit

@Suite struct ErrandsTests {
    @Test("What is done each second is done once more at the end, and then no more")
    func last() throws {
        let runs = Lock<[Bool]>([])
        let errands = try Errands(name: "test") { isLast in runs.withLock { $0.append(isLast) } }
        #expect(errands.finish(before: .now + .seconds(60)))
        let done = runs.withLock { $0 }
        #expect(done.last == true)
        #expect(done.dropLast().allSatisfy { !$0 })
        #expect(errands.finish(before: .now + .seconds(60)))
        #expect(runs.withLock { $0.count } == done.count)
    }
}

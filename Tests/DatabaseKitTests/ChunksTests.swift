import Testing

@testable import DatabaseKit

@Suite struct ChunksTests {
    @Test(
        "Many rows are cut into few lengths, in order, with none left over",
        arguments: [0, 1, 3, 4, 5, 63, 64, 65, 85, 1_000])
    func lengths(count: Int) {
        let slices = Chunks.of(Array(0..<count))
        #expect(slices.flatMap { $0 } == Array(0..<count))
        #expect(slices.allSatisfy { Chunks.lengths.contains($0.count) })
        #expect(slices.count <= count / 64 + 9)
    }

    @Test("Joined parts keep their values in order")
    func joined() {
        let rows = (1...3).map { number -> SQL in "(\(number), \("x\(number)"))" }
        let whole = SQL(joining: rows, by: ", ")
        #expect(whole.text == "(?, ?), (?, ?), (?, ?)" && whole.values.count == 6)
        #expect(SQL(joining: [], by: " OR ").text.isEmpty)
    }
}

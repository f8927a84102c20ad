import Testing

@testable import Domain

@Suite struct LatencyHistogramTests {
    @Test("Quantiles lie within five percent of the truth, from a tenth of a millisecond to a minute")
    func quantiles() throws {
        for scale in [100.0, 1_000, 25_000, 600_000, 30_000_000] {
            var histogram = LatencyHistogram()
            let times = (1...1_000).map { Int64(scale * (1 + Double($0) / 1_000)) }
            for time in times { histogram.count(microseconds: time) }
            for part in [0.5, 0.95, 0.99] {
                let truth = Double(times[Int((part * 1_000).rounded(.up)) - 1])
                let read = try #require(histogram.quantile(part))
                #expect(abs(read - truth) / truth < 0.05, "\(part) of \(scale): \(read) for \(truth)")
            }
        }
    }

    @Test("Every time has one bucket, and a longer one never an earlier")
    func buckets() {
        var last = 0
        for time in (0..<100_000).map({ Int64($0 * 740) }) {
            let bucket = LatencyHistogram.bucket(of: time)
            #expect(bucket >= last && bucket < LatencyHistogram.buckets)
            last = bucket
        }
        #expect(LatencyHistogram.bucket(of: .max) == LatencyHistogram.buckets - 1)
        #expect(LatencyHistogram.bucket(of: -5) == 0)
    }

    @Test("What is stored reads back, appended ones as their sum, and a broken end is left out")
    func stored() {
        var one = LatencyHistogram()
        for time in [1, 70, 5_000, 5_000, 80_000_000] as [Int64] { one.count(microseconds: time) }
        var two = LatencyHistogram()
        for _ in 0..<300 { two.count(microseconds: 5_000) }
        var sum = one
        sum.merge(two)
        #expect(LatencyHistogram(stored: one.stored) == one)
        #expect(LatencyHistogram(stored: one.stored + two.stored) == sum)
        #expect(LatencyHistogram(stored: one.stored + [0x81]) == one)
        #expect(
            LatencyHistogram(stored: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).total == 0)
    }

    @Test("Nothing counted has no quantile")
    func empty() { #expect(LatencyHistogram().quantile(0.5) == nil) }
}

import Glibc

/// How many times as much it costs to work on eight times the input: about 8 when the cost grows as the input does, 64
/// when it grows as its square.
///
/// Only the processor time of the calling thread counts, so neither a busy machine nor a slow build changes the figure;
/// each cost is that of the cheapest of three runs.
public func growth<Input>(from size: Int, of input: (Int) -> Input, _ work: (Input) -> Void) -> Double {
    func cost(_ size: Int) -> Double {
        let input = input(size)
        return (0..<3).map { _ in
            let start = processorSeconds()
            work(input)
            return processorSeconds() - start
        }.min() ?? 0
    }
    let once = cost(size)
    return cost(8 * size) / once
}

/// The processor time that this thread has taken.
private func processorSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

import Testing

@testable import ProcessKit

@Suite("Restart policy")
struct RestartPolicyTests {
    private func moment(_ milliseconds: UInt64) -> MonotonicTime { .init(milliseconds: 1_000_000 + milliseconds) }

    @Test("A child that had lived is replaced at once")
    func oldChild() {
        var policy = RestartPolicy(children: 2)
        #expect(policy.crashed(young: false, at: moment(0)) == .zero)
        #expect(policy.notBefore <= moment(0))
    }

    @Test("Quick crashes double the delay from 0.1 s to 30 s")
    func doubling() {
        var policy = RestartPolicy(children: 2)
        var now = moment(0)
        var delays: [Duration] = []
        for _ in 0..<12 {
            delays.append(policy.crashed(young: true, at: now))
            now = policy.notBefore + .milliseconds(5)
        }
        let expected = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000]
        #expect(delays == expected.map { .milliseconds($0) })
    }

    @Test("Children that die together count as one crash")
    func round() {
        var policy = RestartPolicy(children: 4)
        #expect(policy.crashed(young: true, at: moment(0)) == .milliseconds(100))
        #expect(policy.crashed(young: true, at: moment(10)) == .milliseconds(90))
        #expect(policy.crashed(young: true, at: moment(100)) == .milliseconds(200))
    }

    @Test("A minute without a crash forgets the earlier ones")
    func forgetting() {
        var policy = RestartPolicy(children: 1)
        for step in 0..<4 { _ = policy.crashed(young: true, at: moment(UInt64(step) * 2_000)) }
        #expect(policy.crashed(young: true, at: moment(70_000)) == .milliseconds(100))
    }

    @Test("Killing each child once delays nobody; killing them again and again does")
    func allowance() {
        var policy = RestartPolicy(children: 4)
        for kill in 0..<12 { #expect(policy.crashed(young: false, at: moment(UInt64(kill) * 2_000)) == .zero) }
        #expect(policy.crashed(young: false, at: moment(25_000)) == .milliseconds(100))
    }

    @Test("A child that had served is replaced within half a second, however many there were")
    func serving() {
        var policy = RestartPolicy(children: 4)
        let delays = (0..<60).map { policy.crashed(young: false, at: moment(UInt64($0) * 1_000)) }
        #expect(delays.max() == .milliseconds(500) && delays.count { $0 == .zero } == 12)
        #expect(policy.crashed(young: true, at: moment(61_000)) == .milliseconds(800))
    }
}

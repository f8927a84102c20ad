import Glibc
import Testing

@testable import ProcessKit

@Suite("Crew: hung children")
struct HungCrewTests {
    @Test("A child without a sign of life is first replaced, then aborted, then killed")
    func silent() {
        var stage = Stage.open()
        stage.pass(.seconds(15), silent: [101])
        #expect(stage.signals.isEmpty)
        stage.pass(.milliseconds(10), silent: [101])
        #expect(stage.spawned == [103] && stage.signals == [.init(101, SIGABRT)])
        stage.pass(.seconds(1), silent: [101])
        #expect(stage.signals == [.init(101, SIGABRT), .init(101, SIGKILL)])
        stage.pass(.seconds(9), silent: [101])
        #expect(stage.signals.count == 2)
        stage.end(101, .killed(signal: 9))
        #expect(stage.spawned == [103])
    }

    @Test("The order to replace stands before the signal")
    func replacedFirst() {
        var stage = Stage.open()
        stage.pass(.seconds(15), silent: [101])
        let orders = stage.crew.look(stage.pulses, at: stage.now + .milliseconds(10))
        let spawn = orders.firstIndex { if case .spawn = $0 { true } else { false } }
        let abort = orders.firstIndex(of: .signal(pid: 101, number: SIGABRT))
        #expect(spawn != nil && abort != nil && spawn ?? 9 < abort ?? 0)
    }

    @Test("A request beyond its deadline condemns its process though the main thread ticks")
    func stuck() {
        var stage = Stage.open()
        stage.say(102, .ready, busySince: stage.now)
        stage.pass(.seconds(60))
        #expect(stage.signals.isEmpty)
        stage.pass(.seconds(1))
        #expect(stage.signals == [.init(102, SIGABRT)])
        #expect(stage.notes.contains { if case .hung(_, .request) = $0 { true } else { false } })
    }

    @Test("A child that is not ready within the boot deadline is replaced; ticking does not help it")
    func slow() {
        var stage = Stage.open()
        stage.pass(.seconds(2))
        stage.end(101, .killed(signal: 9))
        stage.pass(.seconds(31))
        #expect(stage.signals == [.init(103, SIGABRT)])
    }

    @Test("First children that never become ready halt the house in the end")
    func neverReady() {
        var stage = Stage()
        for _ in 0..<200 where stage.status == nil {
            stage.pass(.seconds(1))
            for sent in stage.signals { stage.end(sent.pid, .killed(signal: sent.number)) }
            stage.signals = []
        }
        #expect(stage.status == 3 && stage.notes.contains(.halting(because: "worker: not ready in time")))
    }

    @Test("After a pause of the supervisor itself nobody is judged by what came before")
    func frozen() {
        var stage = Stage.open()
        stage.now = stage.now + .seconds(3_600)
        stage.look()
        #expect(stage.signals.isEmpty)
        stage.pass(.seconds(16), silent: [101])
        #expect(stage.signals.contains(.init(101, SIGABRT)))
    }
}

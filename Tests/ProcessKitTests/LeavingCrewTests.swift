import Glibc
import Testing

@testable import ProcessKit

@Suite("Crew: reloading and leaving")
struct LeavingCrewTests {
    @Test("The old children are asked to leave only once all the new ones are ready")
    func reload() {
        var stage = Stage.open()
        stage.perform(stage.crew.reload(Stage.plan(workers: 3), at: stage.now))
        #expect(stage.spawned == [103, 104, 105] && stage.notes == [.reloading])
        stage.ready([103, 104])
        #expect(stage.signals.isEmpty)
        stage.ready([105])
        #expect(stage.signals == [.init(101, SIGTERM), .init(102, SIGTERM)])
        #expect(stage.notes == [.reloading, .reloaded] && !stage.crew.isReloading)
        stage.end(101, .served)
        stage.end(102, .served)
        #expect(stage.serving == [103, 104, 105] && stage.spawned.count == 3)
    }

    @Test("A new child that cannot boot ends the reload, and the old crew stays")
    func reloadFails() {
        var stage = Stage.open()
        stage.perform(stage.crew.reload(Stage.plan(), at: stage.now))
        stage.ready([103])
        stage.end(104, .couldNotBoot, lastWords: "bad key ring")
        #expect(stage.notes.last == .reloadAbandoned(because: "bad key ring"))
        #expect(stage.signals == [.init(103, SIGTERM)] && stage.serving == [101, 102])
        stage.end(103, .served)
        stage.pass(.seconds(60))
        #expect(stage.serving == [101, 102] && stage.crew.ending == nil && !stage.crew.isReloading)
    }

    @Test("A new child that is not ready in time ends the reload")
    func reloadHangs() {
        var stage = Stage.open()
        stage.perform(stage.crew.reload(Stage.plan(), at: stage.now))
        stage.ready([103])
        stage.pass(.seconds(31))
        #expect(stage.notes.contains(.reloadAbandoned(because: "worker: not ready in time")))
        #expect(Set(stage.signals.map(\.number)) == [SIGABRT, SIGTERM] && stage.serving == [101, 102])
    }

    @Test("A reload for which there is no room is given up in the end, and the next one may begin")
    func reloadWithoutRoom() {
        var stage = Stage.open(slots: 3)
        stage.perform(stage.crew.reload(Stage.plan(), at: stage.now))
        stage.ready([103])
        stage.pass(.seconds(59))
        #expect(stage.crew.isReloading)
        stage.pass(.seconds(2))
        #expect(stage.notes.last == .reloadAbandoned(because: "the new crew is not complete in time"))
        #expect(stage.signals == [.init(103, SIGTERM)] && stage.serving == [101, 102])
    }

    @Test("A program that cannot be run ends the reload at once")
    func reloadNotSpawned() {
        var stage = Stage.open()
        stage.refusal = "no such file"
        stage.perform(stage.crew.reload(Stage.plan(), at: stage.now))
        #expect(stage.notes.last == .reloadAbandoned(because: "no such file"))
        #expect(stage.serving == [101, 102] && stage.crew.members.count == 2)
    }

    @Test("An old child that crashes during a reload is replaced by its like")
    func crashDuringReload() {
        var stage = Stage.open()
        stage.pass(.seconds(5))
        stage.perform(stage.crew.reload(Stage.plan(), at: stage.now))
        stage.end(101, .killed(signal: 9))
        #expect(stage.spawned == [103, 104, 105])
        #expect(stage.crew.members.values.first { $0.pid == 105 }?.generation == 1)
        stage.ready([103, 104])
        #expect(stage.signals.contains(.init(105, SIGTERM)) && stage.serving == [103, 104])
    }

    @Test("A second reload is refused while one is under way")
    func reloadTwice() {
        var stage = Stage.open()
        stage.perform(stage.crew.reload(Stage.plan(), at: stage.now))
        #expect(stage.crew.reload(Stage.plan(), at: stage.now).isEmpty)
    }

    @Test("A stop asks everybody once and leaves with status 0 when the last is gone")
    func stop() {
        var stage = Stage.open()
        stage.perform(stage.crew.stop(at: stage.now))
        #expect(stage.signals == [.init(101, SIGTERM), .init(102, SIGTERM)])
        stage.end(101, .served)
        #expect(stage.status == nil && stage.spawned.isEmpty)
        stage.end(102, .killed(signal: 11))
        #expect(stage.status == 0)
    }

    @Test("A second stop kills")
    func stopTwice() {
        var stage = Stage.open()
        stage.perform(stage.crew.stop(at: stage.now))
        stage.forget()
        stage.perform(stage.crew.stop(at: stage.now))
        #expect(stage.signals == [.init(101, SIGKILL), .init(102, SIGKILL)])
        stage.perform(stage.crew.stop(at: stage.now))
        #expect(stage.signals.count == 2)
    }

    @Test("Who has not left by the drain deadline is killed, and the status is still 0")
    func stopOverdue() {
        var stage = Stage.open()
        stage.perform(stage.crew.stop(at: stage.now))
        stage.end(101, .served)
        stage.pass(.seconds(31))
        #expect(stage.signals.filter { $0.number == SIGKILL } == [.init(102, SIGKILL)])
        stage.end(102, .killed(signal: 9))
        #expect(stage.status == 0)
    }

    @Test("A stop during a reload takes both crews along")
    func stopDuringReload() {
        var stage = Stage.open()
        stage.perform(stage.crew.reload(Stage.plan(), at: stage.now))
        stage.perform(stage.crew.stop(at: stage.now))
        #expect(stage.signals.map(\.pid).sorted() == [101, 102, 103, 104])
        for pid: Int32 in 101...104 { stage.end(pid, .killed(signal: SIGTERM)) }
        #expect(stage.status == 0)
    }

    @Test("A crew that has no children leaves at once")
    func empty() {
        var stage = Stage.open(Stage.plan(workers: 0))
        stage.perform(stage.crew.stop(at: stage.now))
        #expect(stage.status == 0)
    }

    @Test("An unknown process's end changes nothing")
    func stranger() {
        var stage = Stage.open()
        let before = stage.crew.members
        stage.end(999, .couldNotBoot)
        #expect(stage.crew.members == before && stage.notes.isEmpty)
    }
}

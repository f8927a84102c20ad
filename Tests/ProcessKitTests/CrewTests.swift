import Glibc
import Testing

@testable import ProcessKit

@Suite("Crew: starting and losing children")
struct CrewTests {
    @Test("The first start orders every role at full strength and is open once all are ready")
    func opens() {
        var stage = Stage(Stage.plan(workers: 3, runners: 1))
        #expect(stage.spawned.count == 4)
        stage.ready(Array(stage.spawned.dropLast()))
        #expect(stage.notes.isEmpty)
        stage.ready(stage.spawned)
        #expect(stage.notes == [.open])
        stage.pass(.seconds(5))
        #expect(stage.notes == [.open] && stage.spawned.count == 4 && !stage.crew.isRestless)
    }

    @Test("A child that served its quota is replaced at once and the others are left alone")
    func served() {
        var stage = Stage.open()
        stage.pass(.seconds(10))
        stage.end(101, .served)
        #expect(stage.spawned == [103] && stage.signals.isEmpty && stage.serving == [102, 103])
    }

    @Test("A crashed child is replaced at once", arguments: [ExitMessage.killed(signal: 9), .failed(status: 1)])
    func crashed(message: ExitMessage) {
        var stage = Stage.open()
        stage.pass(.seconds(10))
        stage.end(102, message)
        #expect(stage.spawned == [103] && stage.serving == [101, 103])
    }

    @Test("A child that says it retires is replaced before it is gone")
    func retires() {
        var stage = Stage.open()
        stage.say(101, .draining)
        stage.look()
        #expect(stage.spawned == [103] && stage.signals.isEmpty)
        stage.end(101, .served)
        #expect(stage.spawned == [103])
    }

    @Test("A retiring child that never leaves is killed after the drain deadline")
    func overdue() {
        var stage = Stage.open()
        stage.say(101, .draining)
        stage.look()
        stage.ready([103])
        stage.pass(.seconds(31))
        #expect(stage.signals == [.init(101, SIGKILL)])
    }

    @Test("Before any child was ready, one that cannot boot halts the house with its sentence")
    func couldNotBoot() {
        var stage = Stage()
        stage.end(101, .couldNotBoot, lastWords: "the database refuses the password")
        #expect(stage.notes.last == .halting(because: "the database refuses the password"))
        #expect(stage.signals == [.init(102, SIGTERM)] && stage.status == nil)
        stage.end(102, .killed(signal: SIGTERM))
        #expect(stage.status == 3)
    }

    @Test("A child that was ready between two looks counts as ready")
    func readyUnseen() {
        var stage = Stage()
        stage.say(101, .ready)
        stage.end(101, .couldNotBoot)
        #expect(stage.status == nil && stage.crew.ending == nil && stage.crew.current.everReady)
    }

    @Test("Once a child was ready, one that cannot boot is started again, ever more slowly")
    func couldNotBootLater() {
        var stage = Stage.open()
        stage.end(101, .killed(signal: 9))
        #expect(stage.notes.last == .waiting(role: "worker", for: .milliseconds(100)))
        #expect(stage.spawned.isEmpty)
        stage.pass(.milliseconds(150))
        #expect(stage.spawned == [103])
        stage.end(103, .couldNotBoot)
        #expect(stage.notes.last == .waiting(role: "worker", for: .milliseconds(200)))
        #expect(stage.crew.ending == nil)
    }

    @Test("When every child dies twice before any was ready, the house halts")
    func mute() {
        var stage = Stage()
        for _ in 0..<10 where stage.crew.ending == nil {
            for pid in stage.serving where stage.crew.ending == nil { stage.end(pid, .failed(status: 127)) }
            stage.pass(.seconds(1))
        }
        #expect(stage.notes.last == .halting(because: "worker ended with status 127"))
        for pid in stage.crew.members.values.compactMap(\.pid) { stage.end(pid, .served) }
        #expect(stage.status == 3 && stage.crew.current.lostInBoot == 4)
    }

    @Test("A program that cannot be run halts the first start and leaves at once")
    func notSpawned() {
        let stage = Stage(refusal: "no such file")
        #expect(stage.status == 3 && stage.spawned.isEmpty)
        #expect(stage.notes.last == .halting(because: "no such file"))
    }

    @Test("A program that cannot be run later is tried again")
    func notSpawnedLater() {
        var stage = Stage.open()
        stage.pass(.seconds(2))
        stage.refusal = "no memory"
        stage.end(101, .killed(signal: 9))
        #expect(stage.notes.contains(.notSpawned(role: "worker", because: "no memory")))
        stage.refusal = nil
        stage.pass(.seconds(1))
        #expect(stage.serving.count == 2 && stage.crew.ending == nil)
    }

    @Test("Without a free slot a child waits, which is told once")
    func crowded() {
        var stage = Stage(Stage.plan(workers: 3), slots: 2)
        stage.pass(.seconds(3))
        #expect(stage.notes == [.noRoom] && stage.serving.count == 2)
        stage.ready(stage.serving)
        stage.pass(.seconds(3))
        stage.end(101, .served)
        #expect(stage.serving.count == 2)
    }
}

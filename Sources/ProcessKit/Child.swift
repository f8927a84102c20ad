import Glibc
import LogKit
import TimeKit

/// This process, as a child of a ``Supervisor`` or on its own.
///
/// A child adopts its place first of all, opens what it needs, starts its threads, says ``HeartbeatSlot/ready()`` and
/// gives its main thread to ``run(ticking:)``, which returns when it is time to drain.
public struct Child: Sendable {
    /// The line of this process on the heartbeat page.
    public let slot: HeartbeatSlot
    /// Whether a supervisor watches over this process.
    public let isSupervised: Bool
    /// The descriptor of the listening socket; it is non-blocking, whoever opened it.
    ///
    /// > FCGI_LISTENSOCK_FILENO 0     FastCGI specification §8
    public static let socketDescriptor: Int32 = 0

    private static let signals: [Int32] = [SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2]

    /// Takes this process's place: the heartbeat page of descriptor 3 and the slot named by `CREW_SLOT`, or, when that
    /// is missing, a page of its own, so that a worker also runs under another process manager.
    ///
    /// From here on its signals are taken by ``run(ticking:)`` alone, writing to a closed connection is an error and
    /// not a death, files are made for the owner alone, memory is never dumped, and the end of the supervisor is the
    /// end of the child. To be called on the main thread before any other thread is started.
    ///
    /// - Throws: `orphaned` when the supervisor is gone already.
    public static func adopt(layout: Heartbeat.Layout = .init(), log: Log) throws(ProcessError) -> Child {
        _ = Signals(blocking: signals)
        signal(SIGPIPE, SIG_IGN)
        umask(0o077)
        if !ProcessControl.refuseDumps() { log.warning("memory dumps could not be switched off") }
        guard let number = setting(Spawner.slotVariable).flatMap({ Int($0) }) else {
            let heartbeat = try Heartbeat(layout: layout, supervisor: getppid())
            ListeningSocket.unblock(socketDescriptor)
            heartbeat.prepare(0, generation: 1, at: .now())
            return Child(slot: HeartbeatSlot(heartbeat: heartbeat, number: 0), isSupervised: false)
        }
        let heartbeat = try Heartbeat(inherited: Spawner.pageDescriptor)
        guard (0..<heartbeat.layout.slots).contains(number) else {
            throw ProcessError(.notInherited, "the heartbeat page has no slot \(number)")
        }
        if !ProcessControl.dieWithParent(SIGTERM) { log.warning("the supervisor's death would go unnoticed") }
        // It may have died before it was asked to be told.
        guard getppid() == heartbeat.supervisor else {
            throw ProcessError(.orphaned, "the supervisor that started this process is gone")
        }
        let child = Child(slot: HeartbeatSlot(heartbeat: heartbeat, number: number), isSupervised: true)
        child.slot.introduce(pid: getpid())
        child.setLastResort(after: heartbeat.patience.boot * 2)
        return child
    }

    /// The whole page: shared counters, and what all children say.
    public var heartbeat: Heartbeat { slot.heartbeat }

    /// Shows signs of life until this process is to drain: SIGTERM or SIGQUIT came, the supervisor is gone, or
    /// `isDone` says so, which is how a worker leaves that has served its quota.
    ///
    /// SIGINT is the supervisor's business, since a terminal sends it to all; a process on its own drains upon it. When
    /// this returns, others have been told that the child drains.
    public func run(ticking interval: Duration = .seconds(1), until isDone: () -> Bool = { false }) {
        let signals = Signals(blocking: Self.signals)
        while !isDone() {
            slot.tick()
            setLastResort(after: heartbeat.patience.tick * 2)
            let number = signals.next(within: interval)
            if number == SIGTERM || number == SIGQUIT || (number == SIGINT && !isSupervised) { break }
            if isSupervised, getppid() != heartbeat.supervisor { break }
        }
        slot.draining()
        setLastResort(after: heartbeat.patience.drain)
    }

    /// Whether SIGTERM or SIGQUIT waits to be taken, so that a boot that waits for something can end early.
    public var isAskedToLeave: Bool {
        var pending = sigset_t()
        unsafe sigpending(&pending)
        return unsafe sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGQUIT) == 1
    }

    /// Until when a child that drains from now on has time.
    public var drainDeadline: MonotonicTime {
        .now() + (isSupervised ? heartbeat.patience.drain : .seconds(30))
    }

    /// Gives up with a sentence that the supervisor repeats; at its first start the supervisor then halts everything.
    public func couldNotBoot(because sentence: String) -> Never {
        slot.leave(lastWords: sentence)
        exit(ExitMessage.couldNotBootStatus)
    }

    /// Ends this process by SIGALRM a while after the supervisor would have done so.
    ///
    /// A child whose main thread hangs cannot take the signal that tells it of its supervisor's death; without this it
    /// would stay behind, and with it the socket's old program. Nothing else in a child may use `alarm(2)`.
    private func setLastResort(after duration: Duration) {
        guard isSupervised else { return }
        alarm(UInt32(clamping: duration.components.seconds + 5))
    }
}

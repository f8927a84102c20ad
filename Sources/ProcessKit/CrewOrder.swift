/// What the crew asks its shell to do, in this order.
enum Order: Equatable {
    /// Start a child in this slot and report ``Crew/spawned(slot:pid:)`` or ``Crew/couldNotSpawn(slot:because:at:)``.
    case spawn(slot: Int, role: Plan.Role, generation: UInt64, plan: Plan)
    /// Send a signal to a child that has not been reaped.
    case signal(pid: Int32, number: Int32)
    /// Tell whoever reads the log.
    case note(Note)
    /// Every child is gone: leave with this status.
    case leave(status: Int32)
}

/// What happened, for the log and for systemd.
enum Note: Equatable {
    /// Every role is at full strength for the first time.
    case open
    /// A reload begins; its children are started beside the old ones.
    case reloading
    /// The new children are all ready; the old ones have been asked to leave.
    case reloaded
    /// A new child could not boot: the old ones stay.
    case reloadAbandoned(because: String)
    /// A child is gone.
    case left(Departure)
    /// Crashes come quickly: this role waits before it is replaced.
    case waiting(role: String, for: Duration)
    /// A child is beyond its time and will be replaced and killed.
    case hung(Member, Symptom)
    /// A child did not leave in time and is killed.
    case overdue(Member)
    /// The program could not be started.
    case notSpawned(role: String, because: String)
    /// No slot is free for another child.
    case noRoom
    /// The crew has been asked to leave.
    case stopping
    /// The crew gives up.
    case halting(because: String)

    /// How one knows that a child is hung.
    enum Symptom: String {
        /// It is not ready within its boot deadline.
        case boot = "not ready in time"
        /// Its main thread gives no sign of life.
        case tick = "no sign of life"
        /// A lane is at one request for longer than allowed.
        case request = "request beyond its deadline"
    }

    /// A child's end.
    struct Departure: Equatable {
        let member: Member
        let message: ExitMessage
        /// What it lived.
        let lived: Duration
        /// Requests it was at.
        let requests: [UInt128]
        /// The sentence it left.
        let lastWords: String?

        /// Why it is gone: what it was given up for, or what it says itself.
        var cause: String {
            switch (member.phase, message) {
            case (.aborting, .killed), (.killed, .killed): "killed by its supervisor"
            default: "\(message)"
            }
        }
    }
}

/// One child, as the supervisor sees it.
struct Member: Equatable, Sendable {
    /// How far a child is.
    enum Phase: Equatable, Sendable {
        /// Spawned, not ready.
        case starting
        /// Serving since then.
        case ready(since: MonotonicTime)
        /// Leaving; killed after this moment.
        case draining(until: MonotonicTime)
        /// Hung and told to leave a backtrace; killed after this moment.
        case aborting(until: MonotonicTime)
        /// Killed, not yet reaped.
        case killed
    }

    let slot: Int
    let role: String
    let generation: UInt64
    let spawned: MonotonicTime
    var pid: Int32?
    var phase = Phase.starting

    /// Whether it counts towards its role's strength.
    var serves: Bool {
        switch phase {
        case .starting, .ready: true
        case .draining, .aborting, .killed: false
        }
    }

    var isReady: Bool {
        if case .ready = phase { true } else { false }
    }
}

/// The children of one plan: those of the first start, or of one reload.
struct Shift: Equatable, Sendable {
    let generation: UInt64
    let plan: Plan
    var policies: [String: RestartPolicy]
    /// Whether any child of this shift has ever been ready.
    var everReady = false
    /// Whether all of them were ready at the same time once.
    var complete = false
    /// Children lost before any was ever ready.
    var lostInBoot = 0

    /// When this shift must be complete if it is to take over.
    let deadline: MonotonicTime

    init(generation: UInt64, plan: Plan, at now: MonotonicTime) {
        self.generation = generation
        deadline = now + plan.patience.boot + plan.patience.drain
        self.plan = plan
        policies = Dictionary(
            plan.roles.map { ($0.name, RestartPolicy(children: $0.count)) }, uniquingKeysWith: { first, _ in first })
    }
}

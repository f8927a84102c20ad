import FoundationEssentials

/// What the supervisor is to keep running; read anew at each reload.
public struct Plan: Equatable, Sendable {
    /// A kind of child: so many processes of the same program with the same arguments.
    public struct Role: Equatable, Sendable {
        /// The word by which the log names it, unique within a plan.
        public let name: String
        /// How many processes.
        public let count: Int
        /// The arguments after the program's own name, such as `["worker"]`.
        public let arguments: [String]

        /// A kind of child; a count below zero counts as none.
        public init(_ name: String, count: Int, arguments: [String]) {
            self.name = name
            self.count = max(0, count)
            self.arguments = arguments
        }
    }

    /// How long the supervisor waits before it acts.
    public struct Patience: Equatable, Sendable {
        /// From being spawned to being ready: 30 s.
        public var boot = Duration.seconds(30)
        /// For one request on a lane: 60 s.
        public var request = Duration.seconds(60)
        /// Between two signs of life of a child's main thread: 15 s.
        public var tick = Duration.seconds(15)
        /// From being asked to leave to being killed: 30 s.
        public var drain = Duration.seconds(30)
        /// From SIGABRT, which leaves a backtrace, to SIGKILL: 1 s.
        public var abort = Duration.seconds(1)

        /// The usual patience.
        public init() {}
    }

    /// The absolute path of the program; a reload runs whatever then lies there.
    public let executable: String
    /// The whole environment of the children; see ``environment(keeping:prefixes:)``.
    public let environment: [String: String]
    /// The kinds of children.
    public let roles: [Role]
    /// How long to wait for what.
    public let patience: Patience

    /// A plan.
    public init(executable: String, environment: [String: String], roles: [Role], patience: Patience = Patience()) {
        self.executable = executable
        self.environment = environment
        self.roles = roles
        self.patience = patience
    }

    /// The variables of this process that children may have: those named, and those that begin with a prefix.
    public static func environment(keeping names: [String], prefixes: [String] = []) -> [String: String] {
        ProcessInfo.processInfo.environment.filter { name, _ in
            names.contains(name) || prefixes.contains { name.hasPrefix($0) }
        }
    }

    /// How many children there are in all.
    var strength: Int { roles.reduce(0) { $0 + $1.count } }
}

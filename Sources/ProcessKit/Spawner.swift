import Glibc
import TimeKit

/// Starts programs anew, by `posix_spawn`: nothing of this process's memory goes along, so a reload takes a new program.
struct Spawner {
    /// What becomes the child's descriptor 0; nil gives `/dev/null`.
    let socket: Int32?
    /// What becomes its descriptor 3.
    let page: Int32

    /// The descriptor of the heartbeat page in a child.
    static let pageDescriptor: Int32 = 3
    /// The variable that tells a child its slot.
    static let slotVariable = "CREW_SLOT"
    /// What is meant for the supervisor alone.
    private static let withheld = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"]

    /// No backtrace unless the operator sets `SWIFT_BACKTRACE`: it shows memory in which a key may lie, and a program
    /// that carries its Swift runtime inside has no tool beside it to make one.
    private static let backtrace = "enable=no"

    /// Keeps to this process what whoever started it left open: children get 0, 1, 2 and the page.
    static func keepStrayDescriptors() {
        for descriptor in 3..<Int32(clamping: min(max(sysconf(Int32(_SC_OPEN_MAX)), 256), 65_536)) {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// Starts a child with every signal unblocked and at its default, and no descriptor but 0, 1, 2 and the page.
    func spawn(_ role: Plan.Role, slot: Int, plan: Plan) throws(ProcessError) -> Int32 {
        var environment = plan.environment.filter { !Self.withheld.contains($0.key) }
        environment[Self.slotVariable] = String(slot)
        environment["SWIFT_BACKTRACE"] = environment["SWIFT_BACKTRACE"] ?? Self.backtrace
        let variables = environment.map { "\($0.key)=\($0.value)" }.sorted()
        var pid: Int32 = 0
        let problem = unsafe withActions { actions in
            unsafe withAttributes { attributes in
                unsafe withCStrings([plan.executable] + role.arguments) { arguments in
                    unsafe withCStrings(variables) { variables in
                        unsafe posix_spawn(&pid, plan.executable, actions, attributes, arguments, variables)
                    }
                }
            }
        }
        guard problem == 0 else { throw .kernel("cannot start \(plan.executable)", problem) }
        return pid
    }

    /// What the supervisor keeps lies above 9, so no descriptor is overwritten before it has been copied.
    private func withActions(_ body: (UnsafePointer<posix_spawn_file_actions_t>) -> Int32) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let socket {
            unsafe posix_spawn_file_actions_adddup2(&actions, socket, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, page, Self.pageDescriptor)
        return unsafe body(&actions)
    }

    private func withAttributes(_ body: (UnsafePointer<posix_spawnattr_t>) -> Int32) -> Int32 {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return unsafe body(&attributes)
    }
}

/// Lends a null-terminated row of C strings to a closure.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe body(&pointers)
}

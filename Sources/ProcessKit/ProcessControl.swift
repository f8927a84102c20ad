internal import CLinux
import Glibc

/// What a process asks of the kernel about itself: `prctl(2)` and limits.
enum ProcessControl {
    /// Has the kernel send this process a signal once the thread that started it is gone.
    static func dieWithParent(_ signal: Int32) -> Bool {
        c_prctl(PR_SET_PDEATHSIG, UInt(signal)) == 0
    }

    /// Leaves nothing of this process's memory behind: no core file, and no other process may read it.
    static func refuseDumps() -> Bool {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        return unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
            && c_prctl(PR_SET_DUMPABLE, 0) == 0
    }
}

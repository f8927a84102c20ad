import Glibc

/// What a process asks of the kernel about itself: `prctl(2)` and limits.
enum ProcessControl {
    private typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32

    /// Has the kernel send this process a signal once the thread that started it is gone.
    static func dieWithParent(_ signal: Int32) -> Bool {
        control(setParentDeathSignal, UInt(signal))
    }

    /// Leaves nothing of this process's memory behind: no core file, and no other process may read it.
    static func refuseDumps() -> Bool {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        return unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 && control(setDumpable, 0)
    }

    /// Names the calling thread.
    static func nameThread(_ name: String) {
        let bytes = Array(name.utf8.prefix(15)) + [0]
        _ = unsafe bytes.withUnsafeBytes { control(setName, UInt(bitPattern: $0.baseAddress)) }
    }

    private static let setParentDeathSignal: Int32 = 1
    private static let setDumpable: Int32 = 4
    private static let setName: Int32 = 15

    /// `prctl` takes a variable number of arguments, so Swift does not import it; on Linux such a function is called
    /// like any other, and the C library has it under its name.
    private static func control(_ option: Int32, _ argument: UInt) -> Bool {
        guard let symbol = unsafe dlsym(nil, "prctl") else { return false }
        let prctl = unsafe unsafeBitCast(symbol, to: Control.self)
        return prctl(option, argument, 0, 0, 0) == 0
    }
}

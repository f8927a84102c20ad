import Glibc
import TimeKit

/// Tells systemd how far the program is, when systemd asked to be told.
///
/// > These functions send a single datagram with the state string as payload to the socket referenced in the
/// > $NOTIFY_SOCKET environment variable. If the first character is "/" or "@", the string is understood as an AF_UNIX
/// > or Linux abstract namespace socket.     sd_notify(3)
struct ServiceManager {
    private let path: String?
    /// How often it wants a sign of life, nil when it does not.
    private let interval: Duration?
    private var lastSign = MonotonicTime(milliseconds: 0)

    /// Reads `NOTIFY_SOCKET` and the watchdog's variables.
    ///
    /// > It is recommended that a daemon sends a keep-alive notification message to the service manager every half of
    /// > the time returned here.     sd_watchdog_enabled(3)
    init() {
        path = setting("NOTIFY_SOCKET").flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let meant = setting("WATCHDOG_PID").map { $0 == String(getpid()) } ?? true
        let wanted = setting("WATCHDOG_USEC").flatMap { Int64($0) } ?? 0
        interval = wanted > 0 && meant ? .microseconds(wanted / 2) : nil
    }

    func ready() { send("READY=1") }

    func reloading(at now: MonotonicTime) { send("RELOADING=1\nMONOTONIC_USEC=\(now.milliseconds * 1_000)") }

    func stopping() { send("STOPPING=1") }

    /// A sign of life, when one is due.
    mutating func alive(at now: MonotonicTime) {
        guard let interval, now - lastSign >= interval else { return }
        lastSign = now
        send("WATCHDOG=1")
    }

    /// Sends without waiting: a service manager that does not read must not hold the supervisor up.
    private func send(_ text: String) {
        guard let path else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8.prefix(MemoryLayout.size(ofValue: address.sun_path) - 1))
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
            unsafe place.copyBytes(from: name)
            if name.first == UInt8(ascii: "@") { unsafe place[0] = 0 }
        }
        // An abstract name is as long as it is said to be; a path ends at its zero byte.
        let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count + (name.first == UInt8(ascii: "@") ? 0 : 1))
        let bytes = Array(text.utf8)
        _ = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, size)
            }
        }
    }
}

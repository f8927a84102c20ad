import Foundation
import Glibc
import Testing

@testable import ProcessKit

@Suite("Service manager", .serialized)
struct ServiceManagerTests {
    @Test("systemd hears of readiness, reload, stop and life, by path and by abstract name", arguments: [false, true])
    func notifications(abstract: Bool) throws {
        let house = try House()
        let name = abstract ? "@" + house.folder.lastPathComponent : house.folder.appending(path: "notify").path
        let receiver = try Receiver(name)
        try house.supervise(
            ["count": "1"], environment: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000"])
        #expect(receiver.hears("READY=1") && receiver.hears("WATCHDOG=1"))
        house.signal(SIGHUP)
        #expect(receiver.hears("RELOADING=1\nMONOTONIC_USEC=") && receiver.hears("READY=1"))
        house.signal(SIGTERM)
        #expect(receiver.hears("STOPPING=1"))
        #expect(house.exitStatus() == 0)
    }

    /// Plays systemd.
    private final class Receiver {
        private let descriptor: Int32

        init(_ name: String) throws {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var patience = timeval(tv_sec: 10, tv_usec: 0)
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            let abstract = name.hasPrefix("@")
            let path = abstract ? "\0" + name.dropFirst() : name
            let result = unsafe withUnixAddress(path) { address, size in
                unsafe bind(descriptor, address, abstract ? socklen_t(2 + path.utf8.count) : size)
            }
            try #require(result == 0)
        }

        deinit { close(descriptor) }

        /// Reads on until a message begins like this.
        func hears(_ beginning: String) -> Bool {
            var bytes = [UInt8](repeating: 0, count: 256)
            for _ in 0..<1_000 {
                let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
                guard count >= 0 else { return false }
                if String(decoding: bytes[..<count], as: UTF8.self).hasPrefix(beginning) { return true }
            }
            return false
        }
    }
}

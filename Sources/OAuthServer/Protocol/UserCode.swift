import CipherKit
import Domain

/// What a person types for a device: eight letters that are hard to confuse and spell no words.
///
/// > It is RECOMMENDED to avoid character sets that contain two or more characters that can easily be confused … One way to
/// > increase usability is to use "BCDFGHJKLMNPQRSTVWXZ".     RFC 8628 §6.1
struct UserCode: Sendable {
    private static let letters = Array("BCDFGHJKLMNPQRSTVWXZ".utf8)
    private static let count = 8

    private let letters: [UInt8]

    /// A new one.
    init(_ world: World) {
        var found: [UInt8] = []
        while found.count < Self.count {
            // Bytes from 240 on are thrown away, so that every letter is equally likely.
            for byte in world.randomBytes(16) where byte < 240 && found.count < Self.count {
                found.append(Self.letters[Int(byte) % Self.letters.count])
            }
        }
        letters = found
    }

    /// Reads what somebody typed, in either case and with any dashes and spaces; nil when it cannot be one.
    init?(_ typed: String) {
        guard typed.utf8.count <= 40 else { return nil }
        let found = typed.uppercased().utf8.filter { $0 != 0x20 && $0 != 0x2d }
        guard found.count == Self.count, found.allSatisfy(Self.letters.contains) else { return nil }
        letters = Array(found)
    }

    /// As it is shown: `WDJB-MJHT`.
    var text: String {
        String(decoding: letters.prefix(4), as: UTF8.self) + "-" + String(decoding: letters.suffix(4), as: UTF8.self)
    }

    /// What is kept of it.
    var digest: [UInt8] { SHA256.digest("user-code\n".utf8 + letters) }
}

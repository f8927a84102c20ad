import CipherKit
import TimeKit

/// What is outside and must be foreseeable in tests: the clock and chance.
public struct World: Sendable {
    /// The wall clock.
    public var now: @Sendable () -> Timestamp
    /// So many random bytes.
    public var randomBytes: @Sendable (Int) -> [UInt8]

    /// The given clock and chance.
    public init(now: @escaping @Sendable () -> Timestamp, randomBytes: @escaping @Sendable (Int) -> [UInt8]) {
        self.now = now
        self.randomBytes = randomBytes
    }

    /// The system's clock and OpenSSL's random source.
    public static let real = World(now: { .now() }, randomBytes: { Random.bytes($0) })
}

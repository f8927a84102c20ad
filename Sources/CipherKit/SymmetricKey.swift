internal import COpenSSL

/// 32 secret bytes that live in one place, cannot be printed and are wiped at the end.
///
/// A class, because sharing without copying is the point: every holder refers to the same 32 bytes, and the last one to
/// let go has them wiped by `OPENSSL_cleanse`.
public final class SymmetricKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The length of every key, in bytes.
    public static let size = 32

    // A number, because Swift calls no pointer Sendable. The bytes are written before `init` returns and only read
    // until `deinit`, so lanes may share them without a lock.
    private let address: Int

    /// A key whose bytes a closure writes; a closure that says it could not ends the process.
    init(filledBy fill: (UnsafeMutableRawPointer) -> Bool) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.size, alignment: 16)
        guard unsafe fill(memory) else { fatalError("a key could not be made") }
        address = Int(bitPattern: memory)
    }

    /// A new random key.
    public convenience init() {
        unsafe self.init { memory in
            unsafe RAND_priv_bytes(memory.assumingMemoryBound(to: UInt8.self), Int32(Self.size)) == 1
        }
    }

    /// A key of these bytes, or nil when they are not 32; the caller's copy remains the caller's to forget.
    public convenience init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        unsafe self.init { memory in
            lend(bytes) { span in
                unsafe span.withAddress { address, count in unsafe memory.copyMemory(from: address, byteCount: count) }
            }
            return true
        }
    }

    deinit {
        guard let memory = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return }
        unsafe OPENSSL_cleanse(memory, Self.size)
        unsafe memory.deallocate()
    }

    /// Lends the 32 bytes to a closure; they must not be copied out of it.
    public func withBytes<Result>(_ use: (Span<UInt8>) -> Result) -> Result {
        guard let memory = unsafe UnsafeRawPointer(bitPattern: address) else { fatalError("a key without memory") }
        return unsafe use(UnsafeRawBufferPointer(start: memory, count: Self.size).bindMemory(to: UInt8.self).span)
    }

    /// Always the same word.
    public var description: String { "<key>" }
    /// Always the same word.
    public var debugDescription: String { "<key>" }
    /// A mirror without children, so that `dump` stays silent.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Wipes an array's bytes where they lie, if nothing else shares them.
func wipe(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
}

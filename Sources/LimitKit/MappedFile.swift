import Glibc
import LogKit

/// A file of words mapped into every process that has it open, with one moment at which a process has it to itself.
///
/// Whoever has it open holds a shared lock on it, which the kernel lets go of when the process ends in whatever way. So
/// who gets the exclusive lock knows that no other process has it: after the first start, after a reboot, after a crash of
/// all. That one makes the file, or mends it; those who come later find it ready. A file that is in use is never cut or
/// begun anew: a new one takes its name, and the old one goes with its last user.
@safe final class MappedFile: Sendable {
    /// What the opener knows of the words.
    struct Shape {
        /// How many words there are.
        let words: Int
        /// Whether these are words of this shape.
        let isKnown: (Words) -> Bool
        /// Writes the first words; all are zero.
        let begin: (Words) -> Void
        /// Mends what processes left that are gone; called while nobody else has the file.
        let mend: (Words) -> Void
    }

    /// Where the words begin; good for as long as the file is held.
    @safe struct Words {
        let base: UnsafeMutablePointer<UInt64>

        subscript(_ index: Int) -> UInt64 {
            get { unsafe base[index] }
            nonmutating set { unsafe base[index] = newValue }
        }
    }

    /// A number rather than a pointer: the memory is shared on purpose, and who touches it holds a lock in it.
    private let address: UInt
    private let count: Int
    private let descriptor: Int32

    /// The words.
    var words: Words {
        guard let base = unsafe UnsafeMutablePointer<UInt64>(bitPattern: address) else {
            preconditionFailure("a mapped file is always mapped")
        }
        return unsafe Words(base: base)
    }

    /// Opens the file, made with mode 0600 when missing; what is no file of this shape is begun anew, with a line of log.
    ///
    /// - Throws: ``LimitError``.
    init(path: String, shape: Shape, log: Log) throws(LimitError) {
        let gate = try Self.open(path + ".lock")
        defer { close(gate) }
        // One opener at a time; it takes milliseconds.
        while flock(gate, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .kernel("cannot lock \(path).lock", errno) }
        }
        var descriptor = try Self.open(path)
        do throws(LimitError) {
            let isAlone = flock(descriptor, LOCK_EX | LOCK_NB) == 0
            if !isAlone, try !Self.isKnown(descriptor, shape) {
                log.warning("limits are counted anew: another layout is still in use", ["file": .init(path)])
                close(descriptor)
                unsafe unlink(path)
                descriptor = try Self.open(path)
                try Self.prepare(descriptor, path, shape, log)
            } else if isAlone {
                try Self.prepare(descriptor, path, shape, log)
            }
            address = try Self.map(descriptor, shape.words)
            guard flock(descriptor, LOCK_SH) == 0 else { throw LimitError.kernel("cannot lock \(path)", errno) }
        } catch {
            close(descriptor)
            throw error
        }
        count = shape.words
        self.descriptor = descriptor
    }

    deinit {
        unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), count * 8)
        close(descriptor)
    }

    /// Brings a file that nobody else has into shape.
    private static func prepare(
        _ descriptor: Int32, _ path: String, _ shape: Shape, _ log: Log
    ) throws(LimitError) {
        let isEmpty = size(of: descriptor) == 0
        let isOurs = try isKnown(descriptor, shape)
        if !isOurs {
            if !isEmpty { log.warning("limits are counted anew: the file is not one of ours", ["file": .init(path)]) }
            guard ftruncate(descriptor, 0) == 0 else { throw .kernel("cannot empty \(path)", errno) }
        }
        // Takes the room now: a missing page would be met as SIGBUS, long after.
        let refusal = posix_fallocate(descriptor, 0, shape.words * 8)
        guard refusal == 0 else { throw .kernel("cannot size \(path)", refusal) }
        let address = try map(descriptor, shape.words)
        defer { unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), shape.words * 8) }
        guard let base = unsafe UnsafeMutablePointer<UInt64>(bitPattern: address) else { return }
        let words = unsafe Words(base: base)
        if !isOurs { shape.begin(words) }
        shape.mend(words)
    }

    private static func isKnown(_ descriptor: Int32, _ shape: Shape) throws(LimitError) -> Bool {
        guard size(of: descriptor) == shape.words * 8 else { return false }
        let address = try map(descriptor, shape.words)
        defer { unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), shape.words * 8) }
        guard let base = unsafe UnsafeMutablePointer<UInt64>(bitPattern: address) else { return false }
        return unsafe shape.isKnown(Words(base: base))
    }

    private static func open(_ path: String) throws(LimitError) -> Int32 {
        let descriptor = unsafe Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .kernel("cannot open \(path)", errno) }
        return descriptor
    }

    private static func size(of descriptor: Int32) -> Int {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 ? Int(status.st_size) : -1
    }

    private static func map(_ descriptor: Int32, _ words: Int) throws(LimitError) -> UInt {
        let memory = unsafe mmap(nil, words * 8, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
            throw .kernel("cannot map the counters of limits", errno)
        }
        return UInt(bitPattern: memory)
    }
}

import Glibc
import Synchronization

/// Memory that several processes see at once: a row of atomic words, all zero to begin with.
///
/// The words are the only way in, each index is checked, and the memory is given back when the last holder lets go.
public final class SharedPage: Sendable {
    /// How many words there are.
    public let count: Int
    /// The memory's descriptor, close-on-exec and above the numbers that children are handed; -1 once given away.
    let descriptor: Int32
    /// Where the words begin. A number rather than a pointer: the memory is shared on purpose, and each word is atomic.
    private let address: UInt

    /// New memory without a name; other processes see it only by being handed its descriptor.
    public convenience init(words count: Int) throws(ProcessError) {
        let name = "/page-\(getpid())-\(MonotonicTime.now().milliseconds)-\(UInt32.random(in: .min ... .max))"
        let descriptor = unsafe shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0o600)
        guard descriptor >= 0 else { throw .kernel("cannot create shared memory", errno) }
        unsafe shm_unlink(name)
        try self.init(sizing: descriptor, words: count)
    }

    /// Memory kept in a file, created with mode 0600 when missing; what it holds outlives every process.
    ///
    /// A shorter file is grown, a longer one left as it is, since others may have it mapped: whoever changes what the
    /// words mean keeps a word that tells so.
    public convenience init(file path: String, words count: Int) throws(ProcessError) {
        let descriptor = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .kernel("cannot open the shared page \(path)", errno) }
        try self.init(sizing: descriptor, words: count)
    }

    /// Memory that another process made and handed over as this descriptor, which is closed afterwards.
    public init(inherited descriptor: Int32) throws(ProcessError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_size >= MemoryLayout<UInt64>.stride else {
            throw ProcessError(.notInherited, "descriptor \(descriptor) is no shared page")
        }
        count = Int(status.st_size) / MemoryLayout<UInt64>.stride
        address = try Self.map(descriptor, words: count)
        close(descriptor)
        self.descriptor = -1
    }

    private init(sizing original: Int32, words count: Int) throws(ProcessError) {
        precondition(count > 0, "a shared page holds at least one word")
        let descriptor = fcntl(original, F_DUPFD_CLOEXEC, SharedPage.firstFree)
        let problem = errno
        close(original)
        guard descriptor >= 0 else { throw .kernel("cannot keep the shared page open", problem) }
        do throws(ProcessError) {
            // Grows, never cuts, and takes the room now: a missing page would be met as SIGBUS, long after.
            let refusal = posix_fallocate(descriptor, 0, count * MemoryLayout<UInt64>.stride)
            guard refusal == 0 else { throw ProcessError.kernel("cannot size the shared page", refusal) }
            address = try Self.map(descriptor, words: count)
        } catch {
            close(descriptor)
            throw error
        }
        self.count = count
        self.descriptor = descriptor
    }

    deinit {
        unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), count * MemoryLayout<UInt64>.stride)
        if descriptor >= 0 { close(descriptor) }
    }

    /// One word. Reading sees everything its writer did before writing it.
    public subscript(_ index: Int) -> UInt64 {
        get { withWord(index) { $0.load(ordering: .acquiring) } }
        set { withWord(index) { $0.store(newValue, ordering: .releasing) } }
    }

    /// Adds to a word, wrapping, and returns the sum.
    @discardableResult
    public func add(_ amount: UInt64, to index: Int) -> UInt64 {
        withWord(index) { $0.wrappingAdd(amount, ordering: .acquiringAndReleasing).newValue }
    }

    /// Lends one word to a closure, for what the other functions do not offer.
    public func withWord<Result: ~Copyable>(
        _ index: Int, _ body: (borrowing Atomic<UInt64>) -> Result
    ) -> Result {
        precondition(index >= 0 && index < count, "word \(index) lies outside a shared page of \(count)")
        guard let words = unsafe UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: address) else {
            preconditionFailure("a shared page is always mapped")
        }
        return unsafe body(words[index])
    }

    /// Descriptors below this number are handed to children; what the supervisor keeps lies above.
    static let firstFree: Int32 = 10

    private static func map(_ descriptor: Int32, words count: Int) throws(ProcessError) -> UInt {
        let bytes = count * MemoryLayout<UInt64>.stride
        let memory = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
            throw .kernel("cannot map the shared page", errno)
        }
        unsafe memory.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        return UInt(bitPattern: memory)
    }
}

import CipherKit
import Glibc
import LogKit
import ThreadKit
import TimeKit

/// Appends records to a file of its own, for one process.
///
/// A record is given to the kernel by one `write(2)` before ``append(_:)`` returns: from then on the process may be killed
/// and the record stays. Nothing is kept in memory, so that neither a full disk nor a database that is away makes the
/// process grow; a record that finds no room is lost, counted, and told of in the log once a minute.
///
/// The file is locked (flock) for as long as it is written, from before it has its name: who can lock it knows that nobody
/// writes to it any more, however its writer ended.
public final class SpoolWriter: Sendable {
    /// When a file is closed and the next begun.
    public struct Limits: Sendable {
        /// From this size on.
        public var bytes = 16_777_216
        /// From this age on, so that files go away although little is asked.
        public var age: Duration = .minutes(5)

        /// The defaults.
        public init() {}
    }

    static let suffix = ".spool"
    static let draftSuffix = ".new"

    private struct State {
        var descriptor: Int32 = -1
        var size = 0
        var begun = ContinuousClock.now
        var untold = 0
        var toldAt: ContinuousClock.Instant?
    }

    private let folder: SpoolFolder
    private let limits: Limits
    private let log: Log
    private let lost: @Sendable (Int) -> Void
    private let state = Lock(State())

    /// How often lost records are told of.
    private static let tellingInterval = Duration.minutes(1)

    /// A writer; its file is made by the first record.
    ///
    /// - Parameter lost: told how many records found no room, for what counts them over all processes; it must not wait.
    public init(
        _ folder: SpoolFolder, limits: Limits = Limits(), log: Log, lost: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.folder = folder
        self.limits = limits
        self.log = log
        self.lost = lost
    }

    deinit { state.withLock { state in Self.end(&state) } }

    /// Appends a record of at most 65 536 bytes, and tells whether it is kept.
    @discardableResult
    public func append(_ payload: [UInt8]) -> Bool {
        let bytes = SpoolFrame.framed(payload)
        let problem: Int32 = state.withLock { state in
            guard payload.count <= SpoolFrame.longest else { return EMSGSIZE }
            if state.descriptor >= 0, state.size >= limits.bytes || .now - state.begun >= limits.age {
                Self.end(&state)
            }
            if state.descriptor < 0, let problem = begin(&state) { return problem }
            return Self.write(bytes, &state)
        }
        if problem != 0 { miss(problem) }
        return problem == 0
    }

    /// Makes the next file: locked first, then named, so that no reader finds it without its lock.
    private func begin(_ state: inout State) -> Int32? {
        let stem = "\(folder.path)/\(Self.newName())"
        let descriptor = unsafe open(
            stem + Self.draftSuffix, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0,
            unsafe rename(stem + Self.draftSuffix, stem + Self.suffix) == 0
        else {
            let problem = errno
            close(descriptor)
            unsafe unlink(stem + Self.draftSuffix)
            return problem
        }
        state.descriptor = descriptor
        state.size = 0
        state.begun = .now
        return nil
    }

    /// Writes all of a record or nothing of it; 0, or what the kernel said.
    private static func write(_ bytes: [UInt8], _ state: inout State) -> Int32 {
        let descriptor = state.descriptor
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if count > 0 {
                done += count
                continue
            }
            let problem = count == 0 ? ENOSPC : errno
            if problem == EINTR { continue }
            // What stands of it is taken back; a file that cannot even be cut is left as it is, its end broken off.
            if done > 0, ftruncate(descriptor, state.size) != 0 { end(&state) }
            return problem
        }
        state.size += bytes.count
        return 0
    }

    /// Closes the file, and its lock with it.
    private static func end(_ state: inout State) {
        if state.descriptor >= 0 { close(state.descriptor) }
        state.descriptor = -1
    }

    private func miss(_ problem: Int32) {
        lost(1)
        let count: Int? = state.withLock { state in
            state.untold += 1
            if let told = state.toldAt, .now - told < Self.tellingInterval { return nil }
            state.toldAt = .now
            defer { state.untold = 0 }
            return state.untold
        }
        guard let count else { return }
        log.error(
            "requests could not be written to the request log",
            ["count": .init(count), "error": .init(kernelWords(problem))])
    }

    /// Sixteen bytes in hexadecimal digits, those of the time first, so that names sort by it.
    private static func newName() -> String {
        let milliseconds = UInt64(max(0, Timestamp.now().milliseconds))
        let time = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * UInt64($0))) }
        return Hex.encode(time + Random.bytes(10))
    }
}

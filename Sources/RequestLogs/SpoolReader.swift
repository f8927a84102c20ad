import CipherKit
import DatabaseKit
import Domain
import LogKit
import SpoolKit
import TimeKit

/// The files of a host's spool on their way into the database.
struct SpoolReader {
    /// A file in hand.
    private struct Open {
        let file: SpoolFile
        let id: [UInt8]
        let content: SpoolFile.Content
        /// Up to where it stands in the database; nil when that must be asked.
        var position: Int?
    }

    /// Requests of one transaction: few enough for a cluster's write sets, and for memory.
    static let batch = 1_000
    /// Files held open at once; the others wait for their turn.
    private static let mostFiles = 200
    /// How long after its last line an hour's file of nginx is over, whatever its clock is set to: more than an hour.
    private static let gateAge = Duration.minutes(75)
    private static let tidyingInterval = Duration.minutes(10)

    private let spool: RequestSpool
    private let store: SpoolStore
    private var latencies: LatencyCompaction
    private let world: World
    private let log: Log
    private var open: [String: Open] = [:]
    /// How many lines the next batch may have: fewer after one was refused, until the line at fault stands alone.
    private var limit = batch
    private var turn = 0
    /// Files that could not be read or removed, by name; few enough to be kept in mind, since each was told of.
    private var unreadable: Set<String> = []
    /// Requests at the gate of whom nobody knew who asked, since they were last told of.
    private var strangers = 0
    private var tidied: ContinuousClock.Instant?

    init(_ spool: RequestSpool, _ room: RequestLogs) {
        self.spool = spool
        world = room.world
        log = room.log
        store = SpoolStore(database: room.database, world: world, host: spool.folder.host, routes: KnownRoutes())
        latencies = LatencyCompaction(database: room.database)
    }

    /// What a pass has gathered.
    private struct Batch {
        var lines: [SpoolStore.Line] = []
        var moves: [SpoolStore.Move] = []
        var isMore = false
        var unreadable = 0
        var strangers = 0
    }

    /// Takes a batch in, and tells whether there is more to take at once.
    mutating func pass() throws -> Bool {
        try tidy()
        try findFiles()
        let batch = try gather()
        if !batch.moves.isEmpty { try take(batch) }
        try finish()
        return batch.isMore
    }

    // MARK: Files

    private mutating func findFiles() throws {
        let records = spool.folder.records().map { ($0, spool.folder.path, SpoolFile.Content.records) }
        let lines = SpoolFolder.names(in: spool.gateFolder).filter { $0.hasPrefix("gate-") && $0.hasSuffix(".log") }
            .map { ($0, spool.gateFolder, SpoolFile.Content.lines) }
        for (name, folder, content) in records + lines
        where open[name] == nil && open.count < Self.mostFiles && !unreadable.contains(name) {
            guard let file = SpoolFile(name, in: folder, of: content), let id = id(of: file, content) else { continue }
            open[name] = Open(file: file, id: id, content: content)
        }
        let unknown = open.values.filter { $0.position == nil }.map(\.id)
        guard !unknown.isEmpty else { return }
        let positions = try store.positions(of: unknown)
        for (name, file) in open where file.position == nil { open[name]?.position = positions[file.id] ?? 0 }
    }

    /// A file's id: its name's own, or for one of nginx the digest of host, name and place on the disk.
    private func id(of file: SpoolFile, _ content: SpoolFile.Content) -> [UInt8]? {
        switch content {
        case .records: file.recordsID
        case .lines: Array(SHA256.digest(spool.folder.host + Array("\(file.name) \(file.inode)".utf8)).prefix(16))
        }
    }

    /// Lets files go that are read to their end and will not grow.
    private mutating func finish() throws {
        for (name, one) in open {
            guard let position = one.position else { continue }
            let isOver =
                switch one.content {
                case .records: one.file.isAbandoned
                case .lines: world.now() - one.file.lastWritten > Self.gateAge
                }
            guard isOver, one.file.size <= position else { continue }
            if !one.file.remove() {
                // Its place stays, so that it is not taken in again; told once.
                if unreadable.insert(name).inserted {
                    log.warning("a file of the request log cannot be removed", ["file": .init(name)])
                }
                open[name] = nil
                continue
            }
            open[name] = nil
            if position > 0 { try store.forget(one.id) }
        }
    }

    /// Now and then: drafts of killed writers, and places of files that somebody removed.
    private mutating func tidy() throws {
        if let tidied, .now - tidied < Self.tidyingInterval { return }
        spool.folder.sweep()
        if strangers > 0 { log.info("requests of strangers were met at the gate", ["count": .init(strangers)]) }
        strangers = 0
        // Known first, listed afterwards: a file that comes meanwhile is not taken for one that is gone.
        let known = try store.known()
        let present = Set(spool.folder.records() + SpoolFolder.names(in: spool.gateFolder))
        for (file, name) in known where !present.contains(name) { try store.forget(file) }
        tidied = .now
    }

    // MARK: Lines

    private mutating func gather() throws -> Batch {
        var batch = Batch()
        let names = open.keys.sorted()
        guard !names.isEmpty else { return batch }
        // Begun elsewhere each time, so that one busy file does not keep the others waiting.
        turn = (turn + 1) % names.count
        for name in names[turn...] + names[..<turn] {
            guard batch.lines.count < limit else {
                batch.isMore = true
                break
            }
            guard let one = open[name], let position = one.position, one.file.size != position else { continue }
            do {
                try read(one, from: position, into: &batch)
            } catch let error as SpoolError {
                leave(name, error)
            }
        }
        return batch
    }

    /// What the kernel will not read is left alone until somebody else takes it, so that the others do not wait for it.
    private mutating func leave(_ name: String, _ error: SpoolError) {
        log.error("a file of the request log cannot be read", ["error": .init(error.description)])
        open[name] = nil
        unreadable.insert(name)
    }

    private mutating func read(_ one: Open, from position: Int, into batch: inout Batch) throws {
        guard one.file.size > position else {
            // Cut from outside: what is written to it now is new.
            try store.forget(one.id)
            open[one.file.name]?.position = 0
            batch.isMore = true
            return
        }
        let wanted = limit - batch.lines.count
        let part =
            switch one.content {
            case .records:
                try one.file.records(from: position, atMost: wanted, isAbandoned: one.file.isAbandoned)
            case .lines: try one.file.lines(from: position, atMost: wanted)
            }
        for item in part.items {
            guard let request = request(item.bytes, one.content, &batch) else { continue }
            batch.lines.append(.init(id: Self.id(of: request, one.id, item.place), request: request))
        }
        if part.passedOver > 0 {
            log.warning(
                "a file of the request log holds what is no line",
                ["file": .init(one.file.name), "bytes": .init(part.passedOver)])
        }
        if part.isMore { batch.isMore = true }
        if part.next > position {
            batch.moves.append(.init(file: one.id, name: one.file.name, from: position, to: part.next))
        }
    }

    private func request(_ bytes: [UInt8], _ content: SpoolFile.Content, _ batch: inout Batch) -> LoggedRequest? {
        switch content {
        case .records:
            if let request = RequestRecord.decode(bytes) { return request }
            batch.unreadable += 1
        case .lines:
            switch GateLine.read(bytes) {
            case .request(let request): return request
            case .stranger: batch.strangers += 1
            case .unreadable: batch.unreadable += 1
            }
        }
        return nil
    }

    /// A line's id: of its time, and of where it stands, so that it is the same whenever it is read.
    private static func id(of request: LoggedRequest, _ file: [UInt8], _ place: Int) -> Identifier<LoggedRequest> {
        let digest = SHA256.digest(file + Array("\(place)".utf8))
        return Identifier(World(now: { request.at }, randomBytes: { Array(digest.prefix($0)) }))
    }

    // MARK: Taking in

    private mutating func take(_ batch: Batch) throws {
        if batch.unreadable > 0 {
            log.warning("the request log holds lines that cannot be read", ["count": .init(batch.unreadable)])
        }
        do {
            try store.take(batch.lines, batch.moves)
            moved(batch)
            limit = min(Self.batch, limit * 2)
        } catch is SpoolStore.Moved {
            forgetPositions(of: batch)
        } catch let error as DatabaseError where error.code == .commitUnknown {
            forgetPositions(of: batch)
        } catch let error as DatabaseError where Self.refusals.contains(error.number) && error.code == .other {
            try leaveOut(batch, error)
        }
        try latencies.note(batch.lines.map(\.request))
    }

    /// What the database says of a value that it will not take, and 0 for what cannot even be sent to it. Whatever else goes
    /// wrong is not the fault of a line: it passes, or somebody must mend it, and until then the files wait.
    ///
    /// > 1048 ER_BAD_NULL_ERROR, 1264 ER_WARN_DATA_OUT_OF_RANGE, 1292 ER_TRUNCATED_WRONG_VALUE, 1366
    /// > ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, 1406 ER_DATA_TOO_LONG     MariaDB error codes
    private static let refusals: Set<Int> = [0, 1_048, 1_264, 1_292, 1_366, 1_406]

    /// A line that the database will never take must not keep all others waiting: batches shrink until it stands alone, and
    /// then it is left out.
    private mutating func leaveOut(_ batch: Batch, _ error: DatabaseError) throws {
        guard batch.lines.count <= 1 else {
            limit = max(1, batch.lines.count / 4)
            return
        }
        log.error("a request could not be taken into the log", ["error": .init(error.debugDescription)])
        try store.take([], batch.moves)
        moved(batch)
    }

    private mutating func moved(_ batch: Batch) {
        strangers += batch.strangers
        for move in batch.moves { open[move.name]?.position = move.to }
    }

    /// Where the files stand is asked anew.
    private mutating func forgetPositions(of batch: Batch) {
        for move in batch.moves { open[move.name]?.position = nil }
    }
}

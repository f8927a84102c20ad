import CipherKit
import DatabaseKit
import Domain

/// The way from one master key to another, a step at a time: added, loaded everywhere, primary, rewrapped, retired.
///
/// There is no instant at which all processes of all hosts change their ring, so none may meet what it cannot unwrap: a
/// key becomes primary only when everyone has loaded it, and goes only when nobody wraps with it and no row names it. What
/// comes next is read from the ring and the rows, so a step that was cut short is simply taken again.
struct KeyRotation {
    /// What `hub keyring rotate` does next.
    enum Step: Equatable {
        /// Put another key beside the primary one.
        case add
        /// Make this key primary, and wrap all data keys by it.
        case promote(MasterKeyID)
        /// Wrap the rest of the data keys by the primary key.
        case rewrap
        /// Nothing but to retire these.
        case retire([MasterKeyID])
    }

    let path: String
    let ring: KeyRing
    let database: Database
    let world: World
    /// How many rows each master key is named by.
    let counts: [MasterKeyID: Int]
    /// The processes that run.
    let holders: [KeyHolder]

    private static let actor = Actor(kind: .commandLine, name: "command line")

    init(path: String, _ database: Database, world: World) throws {
        (self.path, self.database, self.world) = (path, database, world)
        ring = try KeyRing.load(path: path)
        counts = try Vault.dataKeyCounts(in: database)
        holders = try KeyHolders(database).running()
    }

    /// What comes next.
    var step: Step {
        if let next = ring.next { return .promote(next) }
        if ring.former.contains(where: { counts[$0] != nil }) { return .rewrap }
        return ring.former.isEmpty ? .add : .retire(ring.former)
    }

    /// The master keys that rows name and the ring does not hold.
    var missing: [MasterKeyID] {
        counts.keys.filter { !ring.ids.contains($0) }.sorted { $0.raw < $1.raw }
    }

    // MARK: Steps

    /// Puts another key beside the primary one, and returns its number.
    func add() throws -> MasterKeyID {
        try requireNewestRing()
        let (added, id) = ring.adding()
        try note("keyring.key_added", id)
        try added.write(to: path, replacing: ring)
        return id
    }

    /// Makes a key primary that every running process has loaded.
    func promote(_ id: MasterKeyID) throws {
        try requireNewestRing()
        try requireLoaded(id)
        let promoted = try ring.promoting(id)
        try note("keyring.key_promoted", id)
        try promoted.write(to: path, replacing: ring)
    }

    /// Wraps by the primary key what other keys wrap.
    func rewrap(_ tell: (Rewrapping.Progress) -> Void) throws -> Rewrapping.Progress {
        try requireNewestRing()
        try requireLoaded(ring.primary)
        return try Rewrapping(database, ring: ring, world: world, by: Self.actor).run(tell)
    }

    /// Removes the former keys, proved to be named by no row, nor ever again by a running process.
    func retire() throws -> [MasterKeyID] {
        try requireNewestRing()
        let behind = holders.filter { $0.primary != ring.primary }
        guard behind.isEmpty else {
            throw CommandError(
                "Key \(ring.primary) is not yet the primary one of \(Self.names(behind)), which still wraps by a former key. \(Self.loading)"
            )
        }
        try requireTold()
        // Counted after the processes: from now on nobody makes another row of them.
        let counts = try Vault.dataKeyCounts(in: database)
        for id in ring.former {
            guard let count = counts[id] else { continue }
            throw CommandError(
                "\(count) data \(count == 1 ? "key is" : "keys are") still wrapped by key \(id): run hub keyring rotate, which wraps them anew. Nothing was removed."
            )
        }
        var left = ring
        for id in ring.former {
            left = try left.removing(id)
            try note("keyring.key_retired", id)
        }
        try left.write(to: path, replacing: ring)
        return ring.former
    }

    private func note(_ action: String, _ key: MasterKeyID) throws {
        // Before the deed: the file and the database do not change at one stroke, and no deed may go unmentioned.
        try database.transaction { try AuditTrail(world: world).record(action, key, by: Self.actor, in: $0) }
    }

    // MARK: What must hold

    /// How a host is brought to load its ring.
    static let loading =
        "Copy the key ring to every host, and have each load it: systemctl restart hub, or SIGHUP to hub serve where HUB_KEYRING names the file itself; then run this again."

    /// Refuses to work on a ring that is older than another host's.
    private func requireNewestRing() throws(CommandError) {
        guard missing.isEmpty else {
            throw CommandError(
                "The key ring \(path) lacks key \(Self.names(missing)), which wraps data keys: put the newest key ring here first."
            )
        }
        // A key that was just retired is still known to processes that have not loaded the ring since.
        for holder in holders {
            let unknown = holder.keys.filter { !ring.ids.contains($0) }
            guard unknown.isEmpty else {
                throw CommandError(
                    "\(holder.name) has key \(Self.names(unknown)), which the key ring \(path) lacks: put the newest key ring here first, or have that host load this one."
                )
            }
        }
    }

    /// Refuses unless every process that runs can unwrap by a key.
    private func requireLoaded(_ id: MasterKeyID) throws {
        let behind = holders.filter { !$0.keys.contains(id) }
        guard behind.isEmpty else {
            throw CommandError(
                "Key \(id) is not loaded yet by \(Self.names(behind)), which could then no longer open what is sealed. \(Self.loading)"
            )
        }
        try requireTold()
    }

    /// Refuses while a host runs a program that does not tell its keys.
    private func requireTold() throws {
        let silent = try KeyHolders(database).silentHosts()
        guard silent == 0 else {
            throw CommandError(
                "\(silent) \(silent == 1 ? "host does" : "hosts do") not tell which keys \(silent == 1 ? "it has" : "they have"): an older program may run there, or it was stopped this moment. Update it, or wait for ten seconds, and run this again."
            )
        }
    }

    private static func names(_ ids: [MasterKeyID]) -> String { ids.map(\.description).joined(separator: ", ") }

    /// The first few by name, for a host has many.
    private static func names(_ holders: [KeyHolder]) -> String {
        let shown = holders.prefix(5).map(\.name).joined(separator: ", ")
        return holders.count > 5 ? "\(shown) and \(holders.count - 5) more" : shown
    }
}

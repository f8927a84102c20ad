import CipherKit
import DatabaseKit
import TimeKit

/// A running process of the hub and the master keys that it has loaded.
public struct KeyHolder: Sendable {
    /// What it is known by while it lives.
    public let id: Identifier<KeyHolder>
    /// The 16 bytes by which hosts tell each other apart.
    public let host: [UInt8]
    /// What people call the host.
    public let hostName: String
    /// Its number there.
    public let processID: Int32
    /// The key that it wraps with.
    public let primary: MasterKeyID
    /// The keys that it unwraps with.
    public let keys: [MasterKeyID]
    /// When it last said so, by the database's clock; a process tells of itself without it.
    public let seenAt: Timestamp?

    /// A process that has loaded a ring.
    public init(_ ring: KeyRing, host: [UInt8], hostName: String, processID: Int32, world: World) {
        id = Identifier(world)
        self.host = host
        self.hostName = String(hostName.unicodeScalars.prefix(255))
        self.processID = processID
        primary = ring.primary
        keys = ring.ids
        seenAt = nil
    }

    init(_ row: Row) throws(DatabaseError) {
        id = try row.get("id")
        host = try row.get("host")
        hostName = try row.get("host_name")
        processID = Int32(clamping: try row.get("process_id", as: Int.self))
        primary = MasterKeyID(raw: try row.get("master"))
        keys = try row.get("masters", as: String.self).split(separator: " ").compactMap { MasterKeyID(String($0)) }
        seenAt = try row.get("seen_at")
    }

    /// What an operator finds it by.
    public var name: String { "process \(processID) on \(hostName)" }
}

/// The processes that run, as they tell of themselves, so that a rotation locks none of them out (A8-15).
///
/// A process that is silent counts as running for an hour: it may only be cut off from the database, and go on with the
/// keys that it has once that is back. One that is known to be gone is forgotten at once.
public struct KeyHolders: Sendable {
    private let database: Database

    /// Those of a database.
    public init(_ database: Database) { self.database = database }

    /// Says that a process runs with its keys.
    public func note(_ holder: KeyHolder) throws(DatabaseError) {
        let keys = holder.keys.map(\.description).joined(separator: " ")
        try database.execute(
            """
            INSERT INTO keyring_processes (id, host, host_name, process_id, master, masters, seen_at)
            VALUES (\(holder.id), \(holder.host), \(holder.hostName), \(holder.processID), \(holder.primary.raw),
                    \(keys), UTC_TIMESTAMP(6))
                ON DUPLICATE KEY UPDATE seen_at = VALUES(seen_at)
            """)
    }

    /// Says that a process is gone.
    public func forget(_ id: Identifier<KeyHolder>) throws(DatabaseError) {
        try database.execute("DELETE FROM keyring_processes WHERE id = \(id)")
    }

    /// Forgets the processes of a host that were killed, and those of all hosts that have been silent for too long.
    ///
    /// - Parameter isAlive: whether this host has a process of that number.
    public func forgetGone(of host: [UInt8], isAlive: (Int32) -> Bool) throws(DatabaseError) {
        let rows = try database.rows("SELECT id, process_id FROM keyring_processes WHERE host = \(host) LIMIT 10000")
        for row in rows where !isAlive(Int32(clamping: try row.get("process_id", as: Int.self))) {
            try forget(row.get("id"))
        }
        try database.execute(
            "DELETE FROM keyring_processes WHERE seen_at < UTC_TIMESTAMP(6) - INTERVAL 1 HOUR LIMIT 1000")
    }

    /// The processes that run.
    public func running() throws(DatabaseError) -> [KeyHolder] {
        let rows = try database.rows(
            """
            SELECT id, host, host_name, process_id, master, masters, seen_at
              FROM keyring_processes
             WHERE seen_at >= UTC_TIMESTAMP(6) - INTERVAL 1 HOUR
             ORDER BY host_name, process_id, id
             LIMIT 10000
            """)
        return try rows.map { row throws(DatabaseError) in try KeyHolder(row) }
    }

    /// How many hosts are at work of which no process tells what keys it has: they run a program from before it did.
    public func silentHosts() throws(DatabaseError) -> Int {
        try database.row(
            """
            SELECT COUNT(*) AS count
              FROM limit_hosts
             WHERE seen_at >= UTC_TIMESTAMP(6) - INTERVAL 10 SECOND
               AND host NOT IN (SELECT host FROM keyring_processes)
            """)?.get("count") ?? 0
    }
}

import CipherKit
import DatabaseKit
import Domain

/// The ids of events that came many in a request.
///
/// A service that sends many at once sends what was not taken once more as it likes: the same event may come again in other
/// company, by which the whole request is another one.
enum BatchStore {
    /// Notes the events of a request.
    ///
    /// - Returns: those that no other request has brought. They are known as long as the request that did is kept.
    static func note(
        _ ids: [String], of record: InboundEventRecord, in transaction: Transaction
    ) throws(DatabaseError) -> Set<String> {
        guard !ids.isEmpty else { return [] }
        let hashes = Dictionary(ids.map { ($0, SHA256.digest($0.utf8)) }) { one, _ in one }
        // In one order everywhere, so that two transactions with the same ids wait for each other and do not collide.
        for part in Chunks.of(hashes.values.sorted { $0.lexicographicallyPrecedes($1) }) {
            let rows = part.map { hash -> SQL in "(\(record.origin.source), \(hash), \(record.id))" }
            try transaction.execute(
                """
                INSERT INTO inbound_batch_ids (source_id, id_hash, event_id)
                VALUES \(SQL(joining: rows, by: ", "))
                    ON DUPLICATE KEY UPDATE event_id = event_id
                """)
        }
        let rows = try transaction.rows(
            "SELECT id_hash FROM inbound_batch_ids WHERE event_id = \(record.id) LIMIT \(hashes.count)")
        var own: Set<[UInt8]> = []
        for row in rows { own.insert(try row.get("id_hash")) }
        return Set(hashes.filter { own.contains($0.value) }.keys)
    }

    /// Forgets what these requests brought.
    static func forget(_ events: ArraySlice<[UInt8]>, in transaction: Transaction) throws(DatabaseError) {
        try transaction.execute("DELETE FROM inbound_batch_ids WHERE event_id IN (\(list: events))")
    }
}

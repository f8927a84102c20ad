import DatabaseKit
import Domain
import TimeKit

/// Keeps the stored histograms short: each batch appends to those of its minute, hour and day, and after some batches what
/// was appended is summed up.
///
/// A row at a time in a transaction of its own, so nobody waits for it; what is left undone by a process that ends is only
/// longer than it need be.
struct LatencyCompaction {
    let database: Database
    /// How many batches were appended to a row since it was summed up.
    private var touched: [UsageCell: Int] = [:]

    /// After how many batches a row is summed up.
    private static let batches = 16
    /// How many rows are kept in mind.
    private static let mostRows = 5_000

    init(database: Database) { self.database = database }

    /// Notes that a batch has been appended, and sums up what has grown.
    mutating func note(_ requests: [LoggedRequest]) throws {
        var rows: Set<UsageCell> = []
        for request in requests {
            for unit in UsageUnit.allCases {
                for subject in [UsageCell.everybody, request.actorID ?? []] where subject.count == 16 {
                    rows.insert(
                        UsageCell(
                            organization: request.organization.bytes, subject: subject, breakdown: .none,
                            at: unit.floor(request.at), label: unit.rawValue, hundred: request.status / 100))
                }
            }
        }
        if touched.count + rows.count > Self.mostRows { touched = [:] }
        for row in rows {
            touched[row, default: 0] += 1
            guard touched[row] == Self.batches else { continue }
            touched[row] = nil
            try compact(row)
        }
    }

    private func compact(_ row: UsageCell) throws {
        guard let unit = UsageUnit(rawValue: row.label) else { return }
        let place: SQL = """
            organization_id = \(row.organization) AND subject = \(row.subject)
            AND breakdown = \(row.breakdown.rawValue) AND at = \(row.at) AND label = '' AND hundred = \(row.hundred)
            """
        try database.transaction(isolation: .readCommitted) { transaction in
            let found = try transaction.row(
                "SELECT latency FROM \(unescaped: unit.table) WHERE \(place) FOR UPDATE")
            guard let stored: [UInt8] = try found?.get("latency") else { return }
            let sum = LatencyHistogram(stored: stored).stored
            guard sum.count < stored.count else { return }
            try transaction.execute("UPDATE \(unescaped: unit.table) SET latency = \(sum) WHERE \(place)")
        }
    }
}

extension Database {
    /// Deletes what a statement says, so many rows at a time, until nothing of it is left or the closure says no.
    ///
    /// A batch is a transaction of its own: it holds few locks and is a small write set for replicas. The statement is a
    /// `DELETE` without `LIMIT`.
    ///
    /// - Returns: how many rows were deleted.
    @discardableResult
    public func deleteAll(
        _ statement: SQL, atOnce limit: Int = 1_000, while goesOn: () -> Bool = { true }
    ) throws(DatabaseError) -> Int {
        var count = 0
        while true {
            let deleted = try execute("\(statement) LIMIT \(limit)").affectedRows
            count += deleted
            guard deleted == limit, goesOn() else { return count }
        }
    }
}

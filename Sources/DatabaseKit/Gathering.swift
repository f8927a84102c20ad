import ThreadKit

/// Commits what several requests bring in one transaction: whoever comes while one is under way goes with the next.
///
/// Most of what a row costs the database is its transaction. Whoever finds nobody at work commits at once, for all who
/// wait by then, and hands the turn on; nobody waits for more to come. Each line is one of its own.
public final class Gathering<Line: Hashable & Sendable, Item: Sendable, Outcome: Sendable>: Sendable {
    /// What a request that waits is told.
    private enum Word: Sendable {
        case done(Result<[Outcome], any Error>)
        /// It is its turn to commit, for itself and for those behind it.
        case lead
        /// Something in the transaction was refused: each commits its own.
        case alone
    }

    /// What a request brings, and where it waits.
    private final class Turn: Sendable {
        let items: [Item]
        let words = Mailbox<Word>()

        init(_ items: [Item]) { self.items = items }

        /// Waits, however long; whoever leads always says something.
        func word() -> Word {
            while true {
                if let word = words.take(atMost: 1, waiting: .seconds(60)).first { return word }
            }
        }
    }

    /// The most items of one request that goes with others, and the most of one transaction.
    private let mostOfOne: Int
    private let most: Int

    /// Those who wait, by line; none where nobody is at work.
    private let lines = Lock<[Line: [Turn]]>([:])

    /// Nobody waits yet.
    ///
    /// - Parameters:
    ///   - mostOfOne: a request that brings more than this goes alone.
    ///   - most: the most items of one transaction.
    public init(mostOfOne: Int = 20, most: Int = 200) {
        self.mostOfOne = mostOfOne
        self.most = most
    }

    /// How many requests of a line wait.
    public func count(of line: Line) -> Int { lines.withLock { $0[line]?.count ?? 0 } }

    /// Takes items, alone or with those of others.
    ///
    /// - Parameter insert: commits items, all or none, and gives what became of each, in order.
    public func take(_ items: [Item], for line: Line, by insert: ([Item]) throws -> [Outcome]) throws -> [Outcome] {
        guard items.count <= mostOfOne else { return try insert(items) }
        let turn = Turn(items)
        let waits = lines.withLock { lines in
            let isBusy = lines[line] != nil
            lines[line, default: []] += isBusy ? [turn] : []
            return isBusy
        }
        switch waits ? turn.word() : .lead {
        case .done(let result): return try result.get()
        case .alone: return try insert(items)
        case .lead: return try lead(turn, line, insert)
        }
    }

    private func lead(_ turn: Turn, _ line: Line, _ insert: ([Item]) throws -> [Outcome]) throws -> [Outcome] {
        let others = lines.withLock { lines in
            var room = most - turn.items.count
            let going = (lines[line] ?? []).prefix { one in
                room -= one.items.count
                return room >= 0
            }
            lines[line]?.removeFirst(going.count)
            return Array(going)
        }
        defer { handOn(line) }
        do {
            // No key path: in a generic type it is made anew each time, which costs as much as a statement.
            var taken = try insert(turn.items + others.flatMap { $0.items })[...]
            let mine = Array(taken.prefix(turn.items.count))
            taken.removeFirst(mine.count)
            for other in others {
                other.words.put(.done(.success(Array(taken.prefix(other.items.count)))))
                taken.removeFirst(other.items.count)
            }
            return mine
        } catch let error as DatabaseError where error.code == .duplicate && !others.isEmpty {
            // Whose key it was that somebody took meanwhile, each finds out alone.
            for other in others { other.words.put(.alone) }
            return try insert(turn.items)
        } catch {
            for other in others { other.words.put(.done(.failure(error))) }
            throw error
        }
    }

    private func handOn(_ line: Line) {
        lines.withLock { lines in
            guard let next = lines[line]?.first else {
                lines[line] = nil
                return
            }
            lines[line]?.removeFirst()
            next.words.put(.lead)
        }
    }
}

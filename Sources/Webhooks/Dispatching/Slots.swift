import Domain
import ThreadKit

/// How many deliveries are under way, in all and to each receiver: a slow receiver fills its own share and nobody else's.
///
/// A receiver's share is earned, as a sender on a network earns its window: it begins small, grows by one with each quick
/// answer, halves with each silence, and stays as it is while the receiver says that it cannot keep up. However many receivers die at once, they hold next to nothing of the whole.
final class Slots: Sendable {
    /// A receiver as this process has come to know it.
    fileprivate struct Receiver {
        var busy = 0
        /// The most that are sent to it at once.
        var window = Slots.first
    }

    fileprivate struct Book {
        var busy = 0
        var receivers: [String: Receiver] = [:]
    }

    /// The window of a receiver of which nothing is known.
    fileprivate static let first = 4
    /// The window beyond which none grows by answers that take longer than ``quick``.
    private static let slow = 8
    /// An answer within this time shows that there is room for more.
    private static let quick = Duration.seconds(5)

    /// So many receivers are remembered beyond their deliveries.
    fileprivate static let remembered = 10_000

    private let total: Int
    private let each: Int
    private let book = Lock(Book())

    /// Slots.
    ///
    /// - Parameters:
    ///   - total: the most deliveries at once.
    ///   - each: the most to one receiver, however well it does.
    init(total: Int, each: Int) {
        self.total = total
        self.each = each
    }

    /// How many are free in all.
    var free: Int { book.withLock { total - $0.busy } }

    /// How many are under way.
    var busy: Int { book.withLock { $0.busy } }

    /// Whether a slot of a receiver is free.
    func hasRoom(for receiver: String) -> Bool {
        book.withLock { book in
            let one = book.receivers[receiver] ?? Receiver()
            return book.busy < total && one.busy < min(one.window, each)
        }
    }

    /// Takes up to so many slots of a receiver, and says how many that were.
    func take(_ wanted: Int, of receiver: String) -> Int {
        book.withLock { book in
            var one = book.receivers[receiver] ?? Receiver()
            let taken = max(0, min(wanted, min(one.window, each) - one.busy, total - book.busy))
            one.busy += taken
            book.busy += taken
            book.receivers[receiver] = one
            return taken
        }
    }

    /// Gives slots back that were not needed.
    func give(_ count: Int, of receiver: String) {
        guard count > 0 else { return }
        book.withLock { book in
            book.busy -= count
            book.receivers[receiver]?.busy -= count
            book.forget(receiver)
        }
    }

    /// Gives a slot back after an attempt.
    ///
    /// - Parameters:
    ///   - isSilent: whether nothing answered.
    ///   - isStrained: whether it answered that it has too much to do, or is broken: however quick that is, it shows no room
    ///     for more.
    ///   - elapsed: how long the attempt took.
    func give(of receiver: String, isSilent: Bool, isStrained: Bool = false, after elapsed: Duration) {
        book.withLock { book in
            book.busy -= 1
            var one = book.receivers[receiver] ?? Receiver()
            one.busy -= 1
            if isSilent {
                one.window = max(1, one.window / 2)
            } else if !isStrained, one.window < (elapsed <= Self.quick ? each : min(Self.slow, each)) {
                one.window += 1
            }
            book.receivers[receiver] = one
            book.forget(receiver)
        }
    }
}

extension Slots.Book {
    /// Keeps what was learned of receivers that are idle, as long as those are not too many.
    fileprivate mutating func forget(_ receiver: String) {
        guard receivers.count > Slots.remembered, let one = receivers[receiver], one.busy <= 0 else { return }
        receivers[receiver] = nil
    }
}

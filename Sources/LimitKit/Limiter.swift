import LogKit
import Synchronization
import TimeKit

/// Counts what subjects take and refuses what exceeds their quotas, exactly, over all processes of a host.
///
/// One mapped file holds all counts: they outlive every process and a reboot. Each set of slots has a lock that outlives
/// its holder; a take holds it for a fraction of a microsecond. What is counted and what that costs is told in decision
/// 0007. There is no way in which a take fails but being refused.
public final class Limiter: Sendable {
    let file: MappedFile
    let layout: LimitLayout
    let clock: @Sendable () -> Int64
    let log: Log
    /// Where the next reports begin, so that a busy set does not keep others from being told of.
    let nextSet = Atomic<Int>(0)

    /// How long a take waits for a holder that was stopped; then it is refused.
    private static let patience = Duration.seconds(2)

    /// The counters in a file, which is made when missing; a file of another shape is begun anew, with a line of log.
    ///
    /// - Parameters:
    ///   - path: a file on this host's own disk, beside which `path.lock` appears. Never copied to another host: it bears
    ///     the name by which hosts tell each other apart.
    ///   - subjects: for how many subjects there is room, rounded up to 64; 1.6 kB of disk each, half of it also memory once
    ///     the slot is used. A quarter is for addresses.
    ///   - now: the clock by which a moment is checked that seems to have gone back.
    /// - Throws: ``LimitError`` when the file cannot be had.
    public init(
        file path: String, subjects: Int = 65_536, log: Log, now: @escaping @Sendable () -> Timestamp = { .now() }
    ) throws(LimitError) {
        let layout = LimitLayout(subjects: subjects)
        self.layout = layout
        self.log = log
        clock = { Self.sane(now()) }
        file = try MappedFile(
            path: path,
            shape: .init(
                words: layout.words, isKnown: { layout.isKnown($0) }, begin: { layout.begin($0) },
                mend: { layout.mend($0) }), log: log)
    }

    /// For how many subjects there is room.
    public var capacity: Int { layout.sets * LimitSet.ways }

    /// The 16 random bytes by which other hosts know this one; those of the file, as old as it.
    public var host: [UInt8] { layout.host(file.words) }

    /// Takes from all of the quotas, or from none.
    ///
    /// A subject that has no slot gets one. When there is none left, it takes over that of the least used subject of its
    /// class, with its counts: nobody ever gets more than their limit by there being many others.
    ///
    /// - Parameters:
    ///   - cost: how much; 0 asks without taking, less counts as 0.
    ///   - quotas: several of one window count the same units.
    ///   - moment: now, by the wall clock.
    public func take(
        _ cost: Int = 1, from quotas: [Quota], of subject: LimitSubject, at moment: Timestamp
    ) -> LimitVerdict {
        let now = Self.sane(moment)
        let cost = UInt64(max(0, cost))
        let verdict = withSet(of: subject) { set, tag -> LimitVerdict in
            let way = place(subject, tag, in: set, at: now)
            let slot = set.slot(way)
            let time = slot.advance(to: now, clock: clock)
            let verdict = judge(cost, quotas, slot, at: time)
            guard verdict.isAllowed, cost > 0 else { return verdict }
            for window in Self.windows(of: quotas) { LimitGauge(slot, window, at: time).add(cost) }
            set.changed |= 1 << UInt64(way)
            set.keep(way, until: now / 1_000_000 + Self.keptSeconds(quotas))
            return verdict
        }
        return verdict ?? Self.stopped(quotas, at: moment)
    }

    /// How the quotas stand, and whether so much could be taken; takes nothing and gives nobody a slot.
    public func peek(
        _ cost: Int = 1, from quotas: [Quota], of subject: LimitSubject, at moment: Timestamp
    ) -> LimitVerdict {
        let now = Self.sane(moment)
        let cost = UInt64(max(0, cost))
        let verdict = withSet(of: subject) { set, tag -> LimitVerdict in
            guard let way = set.find(subject, tag: tag) else { return Self.untouched(cost, quotas, at: now) }
            let slot = set.slot(way)
            let time = slot.advance(to: now, clock: clock)
            return judge(cost, quotas, slot, at: time, isTaken: false)
        }
        return verdict ?? Self.stopped(quotas, at: moment)
    }

    /// Gives back what an allowed verdict took, such as for an attempt that turned out to be right.
    public func giveBack(_ cost: Int = 1, taken verdict: LimitVerdict, of subject: LimitSubject) {
        guard verdict.isAllowed, cost > 0 else { return }
        _ = withSet(of: subject) { set, tag in
            guard let way = set.find(subject, tag: tag) else { return }
            let slot = set.slot(way)
            for window in Self.windows(of: verdict.standings.map(\.quota)) {
                let length = LimitRing.length(window)
                let bucket = verdict.slotTime / length
                guard (0..<Int64(LimitRing.buckets)).contains(slot.latest / length - bucket) else { continue }
                slot.admitted(window).takeBack(UInt64(cost), from: bucket)
            }
            set.changed |= 1 << UInt64(way)
        }
    }

    /// Forgets all that this host counted for a subject; what other hosts report of it stays.
    public func forget(_ subject: LimitSubject) {
        _ = withSet(of: subject) { set, tag in
            guard let way = set.find(subject, tag: tag) else { return }
            for window in LimitWindow.allCases { set.slot(way).admitted(window).clear() }
            set.changed |= 1 << UInt64(way)
        }
    }

    // MARK: Inside

    /// Where the subject's slot is from now on.
    private func place(_ subject: LimitSubject, _ tag: UInt32, in set: LimitSet, at now: Int64) -> Int {
        if let way = set.find(subject, tag: tag) { return way }
        if let way = set.takeIdle(subject, tag: tag, at: now / 1_000_000) { return way }
        let way = set.takeOver(subject, tag: tag, at: now, clock: clock)
        crowded(at: now)
        return way
    }

    private func judge(
        _ cost: UInt64, _ quotas: [Quota], _ slot: LimitSlot, at time: Int64, isTaken: Bool = true
    ) -> LimitVerdict {
        var isAllowed = true
        let gauges = quotas.map { quota -> (gauge: LimitGauge, used: UInt64, fits: Bool) in
            let gauge = LimitGauge(slot, quota.window, at: time)
            let used = gauge.used
            let sum = used.addingReportingOverflow(cost)
            let fits = !sum.overflow && sum.partialValue <= UInt64(quota.limit) && gauge.hasRoom(for: cost)
            isAllowed = isAllowed && fits
            return (gauge, used, fits)
        }
        let taken = isAllowed && isTaken ? cost : 0
        let standings = zip(quotas, gauges).map { quota, found -> LimitVerdict.Standing in
            let limit = UInt64(quota.limit)
            let used = found.used + taken
            let relief: Int64
            if found.fits {
                // What is being taken now leaves last.
                relief = found.gauge.relief(of: 1) ?? (used > 0 ? found.gauge.stay : 0)
            } else {
                relief = found.gauge.wait(for: cost, beyond: found.used, limit: limit)
            }
            return .init(
                quota: quota, remaining: Int(clamping: limit >= used ? limit - used : 0),
                resetsIn: .microseconds(relief), isViolated: !found.fits)
        }
        return LimitVerdict(
            isAllowed: isAllowed, standings: standings,
            decidedAt: Timestamp(microseconds: time - slot.shift), slotTime: time)
    }

    /// Each window once, however many quotas it has.
    private static func windows(of quotas: [Quota]) -> some Sequence<LimitWindow> {
        LimitWindow.allCases.lazy.filter { window in quotas.contains { $0.window == window } }
    }

    private static func keptSeconds(_ quotas: [Quota]) -> Int64 {
        let longest = quotas.map(\.window.seconds).max() ?? 0
        // The oldest bucket may count for a sixtieth more.
        return Int64(longest + longest / 60 + 1)
    }

    private static func untouched(_ cost: UInt64, _ quotas: [Quota], at now: Int64) -> LimitVerdict {
        let standings = quotas.map {
            LimitVerdict.Standing(
                quota: $0, remaining: $0.limit, resetsIn: cost <= UInt64($0.limit) ? .zero : $0.window.duration,
                isViolated: cost > UInt64($0.limit))
        }
        return LimitVerdict(
            isAllowed: !standings.contains(where: \.isViolated), standings: standings,
            decidedAt: Timestamp(microseconds: now), slotTime: now)
    }

    /// Nobody is let in on counts that cannot be read.
    private static func stopped(_ quotas: [Quota], at moment: Timestamp) -> LimitVerdict {
        let standings = quotas.map {
            LimitVerdict.Standing(quota: $0, remaining: 0, resetsIn: .seconds(1), isViolated: true)
        }
        return LimitVerdict(isAllowed: false, standings: standings, decidedAt: moment, slotTime: sane(moment))
    }

    /// Says once a minute and host that there are more live subjects than slots.
    private func crowded(at now: Int64) {
        guard layout.mayComplain(file.words, at: now / 60_000_000) else { return }
        log.warning(
            "more subjects have limits than there are slots; raise HUB_LIMIT_SUBJECTS", ["slots": .init(capacity)])
    }

    /// Microseconds that can be counted with.
    static func sane(_ moment: Timestamp) -> Int64 { min(max(0, moment.microseconds), LimitSlot.lastMoment / 2) }

    /// Lends the set of a subject to a closure while no other thread of the host has it; nil when its holder was stopped.
    func withSet<Result>(of subject: LimitSubject, _ body: (LimitSet, _ tag: UInt32) -> Result) -> Result? {
        let (number, tag) = layout.place(of: subject, file.words)
        return withSet(number) { body($0, tag) }
    }

    func withSet<Result>(_ number: Int, _ body: (LimitSet) -> Result) -> Result? {
        let set = layout.set(number, file.words)
        switch set.mutex.take(within: Self.patience) {
        case .busy: return nil
        case .inherited: set.mend()
        case .taken: break
        }
        defer { set.mutex.release() }
        return body(set)
    }
}

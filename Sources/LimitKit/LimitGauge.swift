/// Where one quota of a slot stands at a moment of its time.
struct LimitGauge {
    private let time: Int64
    private let own: LimitRing
    private let foreign: LimitRing?
    private let length: Int64
    private let bucket: Int64
    private let unit: Int64

    init(_ slot: LimitSlot, _ window: LimitWindow, at time: Int64) {
        self.time = time
        own = slot.admitted(window)
        foreign = slot.hasForeign ? slot.reported(window) : nil
        length = LimitRing.length(window)
        bucket = time / length
        unit = (time % length) * 64 / length
    }

    /// What counts now: every bucket, but for the oldest once its last 64th has left.
    var used: UInt64 {
        let oldest = bucket - Int64(LimitRing.buckets - 1)
        let sum = own.total + (foreign?.total ?? 0)
        guard oldest >= 0 else { return sum }
        var left: UInt64 = 0
        if own.lastUnit(oldest) < unit { left += own.count(oldest) }
        if let foreign, foreign.lastUnit(oldest) < unit { left += foreign.count(oldest) }
        return sum >= left ? sum - left : 0
    }

    /// Whether so much has room in the bucket of now.
    func hasRoom(for amount: UInt64) -> Bool { own.count(bucket) + amount <= LimitRing.fullest }

    /// Counts what is admitted.
    func add(_ amount: UInt64) { own.add(amount, to: bucket, unit: unit) }

    /// How long what is taken now will count.
    var stay: Int64 { leaves(bucket, unit) - time }

    /// The first moment at which a 64th of a bucket has left the window.
    private func leaves(_ bucket: Int64, _ unit: Int64) -> Int64 {
        (bucket + Int64(LimitRing.buckets - 1)) * length + ((unit + 1) * length) / 64
    }

    /// How long until what was refused would be taken, in microseconds: a whole window where it never will.
    func wait(for cost: UInt64, beyond used: UInt64, limit: UInt64) -> Int64 {
        let whole = Int64(LimitRing.buckets - 1) * length
        guard cost <= limit, cost <= LimitRing.fullest else { return whole }
        // With room below the limit it is the bucket that is full, and the next one is not.
        guard used + cost > limit else { return length - time % length }
        return relief(of: used + cost - limit) ?? whole
    }

    /// How long until so much of what counts has left, in microseconds; nil when there is less than that.
    func relief(of amount: UInt64) -> Int64? {
        var freed: UInt64 = 0
        let oldest = max(0, bucket - Int64(LimitRing.buckets - 1))
        for old in oldest...bucket {
            let (ours, theirs) = (own.count(old), foreign?.count(old) ?? 0)
            guard ours + theirs > 0 else { continue }
            let last = max(ours > 0 ? own.lastUnit(old) : 0, theirs > 0 ? foreign?.lastUnit(old) ?? 0 : 0)
            let free = leaves(old, last)
            guard free > time else { continue }
            freed += ours + theirs
            if freed >= amount { return free - time }
        }
        return nil
    }
}

import DatabaseKit
import Domain
import LogKit
import ThreadKit
import TimeKit

/// Claims what is due, as much of each webhook as its receiver and the slots bear, and opens it.
final class Claiming: Sendable {
    private let room: Webhooks
    private let store: ClaimStore
    private let slots: Slots
    /// Until when webhooks are left in peace whose receivers asked for it, until that is noted.
    private let pauses = Lock<[Identifier<Webhook>: Timestamp]>([:])
    /// Of which webhooks nothing could be claimed although something seemed due.
    private let rests = Lock(Rests())
    /// Webhooks whose receivers had no room, and which these are: what waits for a dead one costs the others no look at it.
    private let full = Lock<[Identifier<Webhook>: (receiver: String, until: Timestamp)]>([:])
    /// What is left of each second's share, for webhooks that bear only so many.
    private let rates = Lock<[Identifier<Webhook>: Rate]>([:])

    /// When it was last looked for what waits for webhooks that are gone.
    private let sweptAt = Lock<Timestamp?>(nil)

    private struct Rate {
        var tokens: Double
        var at: Timestamp
    }

    private struct Rest {
        let begun: Timestamp
        var until: Timestamp
        /// Whether it was gone from key to key in vain, which is not to be done again at once.
        let wasLong: Bool
    }

    private struct Rests {
        var webhooks: [Identifier<Webhook>: Rest] = [:]
        /// Webhooks that are being claimed from in order, and whether something of them was noted since that began: what
        /// was held when it was looked at may be free by the time that they would rest.
        var looks: [Identifier<Webhook>: Bool] = [:]
    }

    /// How long a webhook rests for which something seemed due and nothing could be claimed: what is due stands behind
    /// another of its key.
    private static let emptyRest = Duration.milliseconds(250)
    /// How long it rests at most where it was gone from key to key, which takes long, and none may go for a while.
    private static let longestRest = Duration.seconds(5)
    /// How long a claim may take that has read of webhooks what they were before.
    private static let claimTime = Duration.seconds(1)
    /// For how long a webhook is not read again whose receiver has no room, be it changed meanwhile.
    private static let fullRest = Duration.seconds(1)
    /// How often it is looked for what waits for webhooks that are gone.
    private static let sweepEvery = Duration.seconds(10)
    /// The most of one webhook in one claim, so that no claim takes long.
    private static let most = 64

    init(_ room: Webhooks, _ store: ClaimStore, _ slots: Slots) {
        self.room = room
        self.store = store
        self.slots = slots
    }

    /// Leaves webhooks in peace whose receivers ask for it, until it is noted that they do.
    func landed(_ attempted: [Attempted]) {
        let now = room.world.now()
        pauses.withLock { pauses in
            for one in attempted {
                guard let wait = one.judgement.slowsFor else { continue }
                let (webhook, end) = (one.parcel.destination.webhook, min(now + wait, one.parcel.leaseEnds))
                pauses[webhook] = max(pauses[webhook] ?? end, end)
            }
        }
    }

    /// From now on the database says for how long receivers are left in peace, so that whoever changes that is heard; and
    /// of a key of which one is over the next may go.
    func noted(_ attempted: [Attempted]) {
        let end = room.world.now() + Self.claimTime
        pauses.withLock { pauses in
            for one in attempted where one.judgement.slowsFor != nil {
                let webhook = one.parcel.destination.webhook
                pauses[webhook] = pauses[webhook].map { min($0, end) }
            }
        }
        rests.withLock { rests in
            for webhook in Set(attempted.map(\.parcel.destination.webhook)) {
                if rests.looks[webhook] != nil { rests.looks[webhook] = true }
                guard let rest = rests.webhooks[webhook] else { continue }
                if rest.wasLong {
                    rests.webhooks[webhook]?.until = min(rest.until, rest.begun + Self.emptyRest)
                } else {
                    rests.webhooks[webhook] = nil
                }
            }
        }
    }

    /// Lets a webhook rest of which nothing could be claimed, unless something of it was noted meanwhile.
    private func rest(_ webhook: Identifier<Webhook>, until moment: Timestamp?) {
        let now = room.world.now()
        let end = max(now + Self.emptyRest, min(moment ?? now, now + Self.longestRest))
        rests.withLock { rests in
            guard moment != nil || rests.looks[webhook] != true else { return }
            rests.webhooks[webhook] = Rest(begun: now, until: end, wasLong: moment != nil)
        }
    }

    /// Notes from which webhooks is claimed in order from now on, or none any more.
    private func look(at webhooks: [WebhookRecord]) {
        let inOrder = webhooks.filter { $0.ordering != .none }.map { ($0.id, false) }
        rests.withLock { $0.looks = Dictionary(uniqueKeysWithValues: inOrder) }
    }

    /// Claims once, and gives what can be sent.
    func claim() throws -> [Parcel] {
        guard slots.free > 0 else { return [] }
        try sweep()
        let due = withoutFull(try store.due())
        guard !due.isEmpty else { return [] }
        let webhooks = Dictionary(uniqueKeysWithValues: try store.webhooks(due).map { ($0.id, $0) })
        for webhook in webhooks.values where webhook.state == .disabled {
            try store.giveUp(webhook.id, isGone: false)
        }
        let shares = shares(due.compactMap { webhooks[$0] }.filter { $0.state == .active })
        guard !shares.isEmpty else { return [] }
        look(at: shares.map(\.webhook))
        defer { look(at: []) }
        do {
            return try pack(store.claim(shares), shares)
        } catch {
            for (webhook, count) in shares { slots.give(count, of: webhook.receiver) }
            throw error
        }
    }

    /// Webhooks but those whose receivers are known to have no room still.
    private func withoutFull(_ due: [Identifier<Webhook>]) -> [Identifier<Webhook>] {
        let now = room.world.now()
        let full = full.withLock { full in
            full = full.filter { $0.value.until > now && !slots.hasRoom(for: $0.value.receiver) }
            return full
        }
        return full.isEmpty ? due : due.filter { full[$0] == nil }
    }

    /// Puts an end to what waits for webhooks that are gone.
    private func sweep() throws {
        let now = room.world.now()
        let isTime = sweptAt.withLock { last in
            if let last, now < last + Self.sweepEvery { return false }
            last = now
            return true
        }
        guard isTime else { return }
        var last: Identifier<Webhook>?
        while let (webhook, isGone) = try store.waiting(after: last) {
            last = webhook
            if isGone { try store.giveUp(webhook, isGone: true) }
        }
    }

    /// How many of each webhook may go now; their slots are taken.
    private func shares(_ webhooks: [WebhookRecord]) -> [(webhook: WebhookRecord, count: Int)] {
        let now = room.world.now()
        let pauses = pauses.withLock { pauses in
            pauses = pauses.filter { $0.value > now }
            return pauses
        }
        let rests = rests.withLock { rests in
            rests.webhooks = rests.webhooks.filter { $0.value.until > now }
            return rests.webhooks
        }
        // Whoever waits longest stands first, and nobody takes more than an even part of what is free.
        let ready = webhooks.filter { pauses[$0.id] == nil && rests[$0.id] == nil && ($0.slowUntil ?? now) <= now }
        let part = max(1, slots.free / max(1, ready.count))
        return ready.compactMap { webhook in
            let allowed = min(Self.most, part, share(of: webhook, now))
            let count = slots.take(allowed, of: webhook.receiver)
            if count == 0, allowed > 0 {
                full.withLock { $0[webhook.id] = (webhook.receiver, now + Self.fullRest) }
            }
            return count > 0 ? (webhook, count) : nil
        }
    }

    /// How many a webhook with a rate of its own bears at this moment.
    private func share(of webhook: WebhookRecord, _ now: Timestamp) -> Int {
        guard let perSecond = webhook.perSecond else { return .max }
        return rates.withLock { rates in
            let most = Double(max(1, perSecond))
            var rate = rates[webhook.id] ?? Rate(tokens: most, at: now)
            let elapsed = max(0, (now - rate.at) / .seconds(1))
            rate.tokens = min(most, rate.tokens + elapsed * Double(perSecond))
            rate.at = now
            rates[webhook.id] = rate
            return Int(rate.tokens)
        }
    }

    private func spend(_ count: Int, of webhook: WebhookRecord) {
        guard webhook.perSecond != nil else { return }
        rates.withLock { $0[webhook.id]?.tokens -= Double(count) }
    }

    private func pack(
        _ claimed: ClaimStore.Claimed, _ shares: [(webhook: WebhookRecord, count: Int)]
    ) throws -> [Parcel] {
        let byWebhook = Dictionary(grouping: claimed.claims, by: \.webhook)
        let bodies = try store.bodies(Array(Set(claimed.claims.map(\.event))))
        var opened: [Identifier<Event>: [UInt8]] = [:]
        var parcels: [Parcel] = []
        var sealed: [Identifier<Delivery>] = []
        for (webhook, count) in shares {
            let claims = byWebhook[webhook.id] ?? []
            slots.give(count - claims.count, of: webhook.receiver)
            if claims.isEmpty { rest(webhook.id, until: claimed.nextAt[webhook.id]) }
            spend(claims.count, of: webhook)
            let destination = try? room.destination(webhook, in: room.database)
            for claim in claims {
                if opened[claim.event] == nil, let sealed = bodies[claim.event] {
                    opened[claim.event] = try? room.vault.open(
                        sealed, at: EventStore.place(claim.event), for: webhook.organization, in: room.database)
                }
                guard let destination, let body = opened[claim.event] else {
                    // Its key is missing: it stays claimed until the lease ends, and is tried again then.
                    slots.give(1, of: webhook.receiver)
                    room.log.error("a delivery cannot be opened", ["delivery": .init(claim.delivery.text)])
                    sealed.append(claim.delivery)
                    continue
                }
                parcels.append(
                    Parcel(
                        delivery: claim.delivery, event: claim.event, token: claimed.token, leaseEnds: claimed.ends,
                        attempts: claim.attempts, tries: claim.tries,
                        cause: claim.isManual && claim.tries == 0 ? .manual : .schedule,
                        givesUpAfter: claim.isInOrder ? webhook.ordering.skipAfter : nil, destination: destination,
                        body: body))
            }
        }
        try? store.noteSealed(sealed, token: claimed.token)
        return parcels
    }
}

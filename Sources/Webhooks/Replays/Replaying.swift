import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import JobKit
import TimeKit

/// Sending again what matches, counted beforehand, a part at a time.
extension Webhooks {
    static let replayJob = "webhooks.replay"
    /// In so many turns even the longest replay is over, however often the program is stopped meanwhile.
    private static let mostTurns = 10_000

    var replays: ReplayStore { ReplayStore(database: database, world: world) }

    /// How long a turn of a replay may take, and of that what its last part has left to end: the threads that do jobs are few,
    /// and others wait for them.
    static let replayTurn = Duration.seconds(30)
    private static let replayReserve = Duration.seconds(15)

    /// Begins a replay; how many it will be is counted first.
    ///
    /// - Throws: `Problem` 409 for a webhook that is disabled, or of which a replay is under way.
    func replay(_ wanted: ReplayStore.Wanted, by scope: OrganizationScope) throws -> ReplayRecord {
        try requireReceiving(wanted.webhook)
        let total = try replays.count(wanted)
        let id = Identifier<Replay>(world)
        try database.transaction(isolation: .readCommitted) { transaction in
            // Of two that begin at once the second sees the first.
            guard try store(scope).lock(wanted.webhook.id, in: transaction) != nil else { throw Problem.notFound }
            guard try !replays.isRunning(of: wanted.webhook.id, in: transaction) else {
                throw Problem(
                    409, "replay_under_way", "A replay of this webhook is under way; begin another once it is over.")
            }
            try replays.insert(id, wanted, total: total, askedBy: scope.actor.name, in: transaction)
            try audit.record(
                "webhook.replayed", .init("webhook", wanted.webhook.id, name: wanted.webhook.urlShown),
                details: [
                    "since": JSON(wanted.since), "until": JSON(wanted.until),
                    "status": JSON(wanted.selection?.rawValue), "event": JSON(wanted.pattern?.description),
                    "deliveries": .integer(Int64(total)),
                ], by: scope, in: transaction)
            try JobQueue(database, now: world.now).enqueue(
                NewJob(
                    Self.replayJob, payload: "{\"replay\":\"\(id)\"}", uniqueKey: "replay:\(id)",
                    maxAttempts: Self.mostTurns),
                in: transaction)
        }
        guard let made = try replays.find(id, of: scope.organization) else { throw Problem.notFound }
        return made
    }

    func goOn(_ run: JobRun) throws {
        guard let text = try JSON(parsing: Array(run.job.payload.utf8))["replay"]?.text,
            let id = Identifier<Replay>(text)
        else { throw JobFailure.park(because: "the job names no replay") }
        while !run.isStopping {
            guard run.remaining > Self.replayReserve else {
                throw JobFailure.retry(after: .zero, because: "a long replay goes on in the next turn")
            }
            let isOver = try database.transaction { transaction in
                guard let replay = try replays.lock(id, in: transaction), replay.state == "running" else { return true }
                let webhook = try ClaimStore(database: database, world: world).webhook(replay.webhook, in: transaction)
                guard let webhook, webhook.state != .disabled else {
                    try replays.cancel(id, in: transaction)
                    return true
                }
                return try replays.advance(replay, webhook, in: transaction)
            }
            wake()
            if isOver { return }
        }
        throw JobFailure.retry(after: .seconds(1), because: "the program stops")
    }

    // MARK: For scripts

    /// Begins a replay, or with `dry_run` only counts.
    func replayJSON(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        var input = try call.json()
        let since = input.required("since", input.moment("since"))
        let until = input.moment("until") ?? world.now()
        let (selection, pattern) = Self.which(&input)
        let isDry = input.truth("dry_run") ?? false
        if let since, since >= until { input.refuse("until", "out_of_range", "This must lie after since.") }
        guard let since, input.isComplete else { throw input.refusal }
        let scope = try call.scope()
        let wanted = ReplayStore.Wanted(
            webhook: try find(id, scope), since: since, until: until, selection: selection, pattern: pattern)
        if isDry { return .json(["deliveries": JSON(try replays.count(wanted))]) }
        let replay = try replay(wanted, by: scope)
        return .json(Self.json(replay), status: 202)
            .with("location", call.link(WebhookRoute.replayStatusJSON(replay.id)))
    }

    /// Which deliveries are meant, beside their time.
    static func which(_ input: inout Input) -> (selection: ReplayRecord.Selection?, pattern: EventPattern?) {
        let selection = input.parsed("status", orSay: "This is waiting, delivered, failed, canceled or missing.") {
            ReplayRecord.Selection(rawValue: $0)
        }
        return (selection, input.pattern("event"))
    }

    func replayStatusJSON(_ id: Identifier<Replay>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        guard let replay = try replays.find(id, of: scope.organization), try store(scope).find(replay.webhook) != nil
        else { throw Problem.notFound }
        return .json(Self.json(replay))
    }

    static func json(_ replay: ReplayRecord) -> JSON {
        [
            "id": .string(replay.id.text), "webhook_id": .string(replay.webhook.text),
            "state": .string(replay.state), "deliveries": JSON(replay.total), "done": JSON(replay.done),
            "since": JSON(replay.since), "until": JSON(replay.until), "status": JSON(replay.selection?.rawValue),
            "event": JSON(replay.pattern?.description), "asked_by": .string(replay.askedBy),
            "created_at": JSON(replay.createdAt), "finished_at": JSON(replay.finishedAt),
        ]
    }
}

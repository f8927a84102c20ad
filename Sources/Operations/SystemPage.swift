import AdminShell
import TemplateKit
import TimeKit

/// How the hub itself is doing.
struct SystemPage: ShellPage {
    static let template = "system"
    static let sample = SystemPage(state: .sample, now: Timestamp(seconds: 90))

    let state: SystemState
    let now: Timestamp

    var title: String { "System" }
    var place: Place? { .system }

    var view: TemplateValue {
        [
            "summary": summary, "warnings": .list(warnings.map { ["title": .text($0.title), "text": .text($0.text)] }),
            "workers": .list(state.workers.map(view)), "jobs": .list(state.jobs.map(view)), "migrations": migrations,
            "deliveries": state.deliveries.map(view) ?? .null,
            "key_ring": keyRing,
            "about": .list(state.about.map { ["label": .text($0.label), "value": .text($0.value)] }),
        ]
    }

    // MARK: In one sentence

    private var missing: [SystemState.Key] { state.keys.filter { $0.state == .missing } }

    /// What the settings warn of, and what the page itself sees amiss.
    private var warnings: [SystemState.Warning] {
        let schema = state.schema.complaint.map {
            [SystemState.Warning(title: "The schema is not the one this program knows.", text: "In short: \($0).")]
        }
        let keys = missing.map { key in
            SystemState.Warning(
                title: "Key \(key.id) is missing.",
                text:
                    "What \(key.dataKeys.counted("data key", "data keys")) sealed cannot be opened until it is back in the key ring."
            )
        }
        return (schema ?? []) + keys + state.warnings
    }

    private var summary: TemplateValue {
        let isBroken = state.schema.complaint != nil || !missing.isEmpty
        let hosts = Set(state.workers.map(\.host)).count
        let who = "\(state.workers.count.counted("worker", "workers")) on \(hosts.counted("host", "hosts"))"
        let answers = state.workers.count == 1 ? "answers" : "answer"
        let rest =
            switch (state.schema.complaint, missing.isEmpty) {
            case (nil, true): "the database and the encryption keys are in order"
            case (nil, false): "an encryption key is missing"
            case (_, true): "the database’s schema is not in order"
            case (_, false): "neither the database’s schema nor the encryption keys are in order"
            }
        let (tone, word) =
            isBroken ? ("bad", "Out of order") : warnings.isEmpty ? ("good", "Healthy") : ("warn", "Needs a look")
        return ["tone": .text(tone), "word": .text(word), "text": .text("\(who) \(answers) requests; \(rest).")]
    }

    // MARK: Parts

    private func view(_ worker: SystemState.Worker) -> TemplateValue {
        [
            "pid": .text("\(worker.processID)"), "host": .text(worker.host),
            "state": worker.isDraining ? ["tone": "warn", "word": "Draining"] : ["tone": "good", "word": "Serving"],
            "lanes": .text("\(worker.busyLanes) of \(worker.lanes)"), "requests": .text(worker.requests.grouped),
            "started": worker.started.view(now: now),
        ]
    }

    private func view(_ job: SystemState.Job) -> TemplateValue {
        [
            "label": .text(job.label), "waiting": .text(job.waiting.grouped), "running": .text(job.running.grouped),
            "failed": job.failed == 0 ? .null : .text(job.failed.grouped),
            "oldest": job.oldest.map { $0.view(now: now) } ?? .null,
        ]
    }

    private func view(_ deliveries: SystemState.Deliveries) -> TemplateValue {
        let isLate = deliveries.oldestDue.map { now - $0 > Self.patience } ?? false
        return [
            "state": isLate ? ["tone": "warn", "word": "Behind"] : ["tone": "good", "word": "On time"],
            "waiting": .text(deliveries.waiting.grouped), "due": .text(deliveries.due.grouped),
            "in_flight": .text(deliveries.inFlight.grouped),
            "oldest": deliveries.oldestDue.map { $0.view(now: now) } ?? .null,
            "failures": .list(
                deliveries.failures.map { ["error": .text($0.error), "count": .text($0.count.grouped)] }),
        ]
    }

    /// What is due for longer than this waits for more than its turn.
    private static let patience = Duration.minutes(1)

    private var migrations: TemplateValue {
        let schema = state.schema
        return [
            "state": schema.complaint == nil
                ? ["tone": "good", "word": "Up to date"] : ["tone": "bad", "word": "Not in order"],
            "applied": .text("\(schema.applied) of \(schema.known)"), "latest": .text(schema.latest),
            "at": schema.appliedAt.map { $0.view(now: now) } ?? .null,
        ]
    }

    private var keyRing: TemplateValue {
        [
            "state": missing.isEmpty
                ? ["tone": "good", "word": "In order"] : ["tone": "bad", "word": "Key missing"],
            "current": .text(state.keys.first { $0.state == .current }?.id ?? "none"),
            "keys": .list(state.keys.map(view)),
        ]
    }

    private func view(_ key: SystemState.Key) -> TemplateValue {
        let state: TemplateValue =
            switch key.state {
            case .current: ["tone": "good", "word": "Current"]
            case .next: ["tone": "off", "word": "Next"]
            case .old: ["tone": "off", "word": "Old"]
            case .missing: ["tone": "bad", "word": "Missing"]
            }
        return ["id": .text(key.id), "state": state, "sealed": .text(key.dataKeys.counted("data key", "data keys"))]
    }
}

extension SystemState {
    /// A state for samples of pages.
    static let sample = SystemState(
        workers: [
            Worker(
                processID: 4711, host: "web-1", isDraining: false, busyLanes: 1, lanes: 32, requests: 128_431,
                started: Timestamp(seconds: 0))
        ],
        jobs: [
            Job(
                kind: "purge", label: "Purge of removed rows", waiting: 14, running: 0, failed: 2,
                oldest: Timestamp(seconds: 0))
        ],
        deliveries: Deliveries(
            waiting: 1_214, due: 12, inFlight: 4, oldestDue: Timestamp(seconds: 60), failures: [("timed_out", 31)]),
        schema: Schema(
            applied: 13, known: 14, latest: "0013_idempotent_answers", appliedAt: Timestamp(seconds: 0),
            complaint: "run hub migrate"),
        keys: [Key(id: "mk-2026", state: .current, dataKeys: 3), Key(id: "mk-2025", state: .missing, dataKeys: 1)],
        warnings: [Warning(title: "Requests to api.telegram.org go elsewhere.", text: "HUB_ORIGIN_MAP is set.")],
        about: [("Version", "0.1.0")])
}

import Domain
import HTTPKit
import TimeKit

/// The figures of the system page for a machine that watches: Prometheus's text format, version 0.0.4.
struct Metrics {
    private var lines: [String] = []

    /// The text of what the hub is doing at a moment.
    init(_ state: SystemState, now: Timestamp) {
        let version = state.about.first { $0.label == "Version" }?.value ?? ""
        gauge("hub_info", "The version that answers.", [([("version", version)], 1)])
        gauge("hub_workers", "Processes that serve requests.", [([], Int64(state.workers.count))])
        gauge(
            "hub_lanes_busy", "Requests that are being answered.",
            state.workers.map { (Self.labels(of: $0), Int64($0.busyLanes)) })
        gauge(
            "hub_lanes", "Requests that can be answered at once.",
            state.workers.map { (Self.labels(of: $0), Int64($0.lanes)) })
        counter(
            "hub_requests_total", "Requests that a worker has answered.",
            state.workers.map { (Self.labels(of: $0), Int64($0.requests)) })
        jobs(state, now)
        if let deliveries = state.deliveries { self.deliveries(deliveries, now) }
        gauge(
            "hub_migrations_pending", "Migrations that are still to be applied.",
            [([], Int64(max(0, state.schema.known - state.schema.applied)))])
        gauge(
            "hub_encryption_keys_missing", "Keys that something was sealed with and that the key ring lacks.",
            [([], Int64(state.keys.count { $0.state == .missing }))])
        gauge("hub_warnings", "What the system page warns of.", [([], Int64(state.warnings.count))])
    }

    /// The whole text.
    var text: String { lines.joined(separator: "\n") + "\n" }

    private mutating func jobs(_ state: SystemState, _ now: Timestamp) {
        gauge(
            "hub_jobs", "Jobs in the background, by their kind and state.",
            state.jobs.flatMap { job in
                [("waiting", job.waiting), ("running", job.running), ("failed", job.failed)].map {
                    ([("kind", job.kind), ("state", $0.0)], Int64($0.1))
                }
            })
        gauge(
            "hub_job_oldest_due_seconds", "For how long the longest-waiting job of a kind has been due.",
            state.jobs.compactMap { job in job.oldest.map { ([("kind", job.kind)], Self.seconds(since: $0, now)) } })
    }

    private mutating func deliveries(_ deliveries: SystemState.Deliveries, _ now: Timestamp) {
        gauge("hub_deliveries_waiting", "Deliveries that wait for an attempt.", [([], Int64(deliveries.waiting))])
        gauge("hub_deliveries_due", "Deliveries that could be sent now.", [([], Int64(deliveries.due))])
        gauge("hub_deliveries_in_flight", "Deliveries that are being sent.", [([], Int64(deliveries.inFlight))])
        gauge(
            "hub_delivery_oldest_due_seconds", "For how long the longest-waiting delivery has been due.",
            [([], deliveries.oldestDue.map { Self.seconds(since: $0, now) } ?? 0)])
        gauge(
            "hub_deliveries_failing", "Deliveries that wait for another attempt, by how the last one failed.",
            deliveries.failures.map { ([("error", $0.error)], Int64($0.count)) })
    }

    private typealias Sample = (labels: [(String, String)], value: Int64)

    private mutating func gauge(_ name: String, _ help: String, _ samples: [Sample]) {
        add(name, "gauge", help, samples)
    }

    private mutating func counter(_ name: String, _ help: String, _ samples: [Sample]) {
        add(name, "counter", help, samples)
    }

    private mutating func add(_ name: String, _ type: String, _ help: String, _ samples: [Sample]) {
        lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"]
        for sample in samples {
            let labels = sample.labels.map { #"\#($0.0)="\#(Self.escaped($0.1))""# }.joined(separator: ",")
            lines.append(labels.isEmpty ? "\(name) \(sample.value)" : "\(name){\(labels)} \(sample.value)")
        }
    }

    /// A label's value: backslash, quotation mark and line feed are escaped.
    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private static func labels(of worker: SystemState.Worker) -> [(String, String)] {
        [("host", worker.host), ("pid", "\(worker.processID)")]
    }

    private static func seconds(since moment: Timestamp, _ now: Timestamp) -> Int64 {
        max(0, (now - moment).components.seconds)
    }
}

extension Operations {
    /// The figures for Prometheus, which asks with a key of its own.
    func metrics() throws -> Response {
        Response(
            headers: ["content-type": "text/plain; version=0.0.4; charset=utf-8"],
            body: .bytes(Array(Metrics(try system(), now: world.now()).text.utf8))
        ).neverStored()
    }
}

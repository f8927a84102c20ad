import AdminShell
import HTTPKit
import JSONKit

/// Health as the API's description has it.
extension OperationsRoute {
    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .overview, .system: nil
        case .metrics: Self.metricsAPI
        case .live: Self.liveAPI
        case .ready: Self.readyAPI
        case .health: Self.healthAPI
        }
    }

    private static let tag = APITag(
        "Health", "Whether the hub answers and can do its work. No key is needed, and no detail is told.")

    private static let metricsAPI = APIPath(
        "/metrics", tag,
        [
            .get: APIOperation(
                "getMetrics", "Shows how the hub itself is doing, for Prometheus.",
                details:
                    "Workers, jobs, deliveries that wait, are due, in flight or failing, migrations and keys, over all organizations.",
                answers: .media("text/plain", "Figures in Prometheus’s text format."))
        ])

    private static let liveAPI = APIPath(
        "/health/live", tag,
        [
            .get: APIOperation(
                "getLiveness", "Says whether a process answers; the database is not asked.", answers: .ok(well))
        ])

    private static let readyAPI = APIPath(
        "/health/ready", tag,
        [
            .get: APIOperation(
                "getReadiness", "Says whether requests can be served: the database answers, and its schema is known.",
                answers: .ok(well), problems: [notReady])
        ])

    private static let healthAPI = APIPath(
        "/health/", tag,
        [
            .get: APIOperation(
                "getHealth", "Says the same, and how many migrations are still to be applied.",
                answers: .ok(
                    well.joined(
                        with: .required(
                            "pending_migrations", .integer(0...10_000, example: 0),
                            "How many migrations are still to be applied."))),
                problems: [notReady])
        ])

    private static let notReady = APIProblem(503, "not_ready", "The hub cannot serve requests just now.")
    private static let well = JSONSchema.object(.required("status", .word(of: ["ok"]), "All is well."))
}

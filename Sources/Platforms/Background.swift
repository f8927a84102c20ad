import JobKit
import TimeKit

/// What this room does in the background.
extension Platforms {
    private static let tidyJob = "platforms.tidy"

    /// The jobs of the room.
    public var jobs: [JobHandler] {
        [
            JobHandler(Self.tidyJob, every: .minutes(1)) { _ in try tidy() },
            JobHandler(Self.fetchJob) { run in try fetch(run.job.payload) },
        ]
    }

    /// The kinds of jobs as the system page names them.
    public static let jobLabels = [
        tidyJob: "Tell of messages to channels that were cut off, forget old ones",
        fetchJob: "Fetch a message that Teams has told of",
    ]
}

import DatabaseKit
import Domain
import TimeKit

/// The figures of one organization, as far as the one who asks may see them, from roll-ups alone.
struct UsageStore: Sendable {
    let database: Database
    let world: World
    let settings: RequestLogs.Settings
    let directory: ActorDirectory
    let scope: OrganizationScope

    func figures(_ question: UsageQuestion) throws -> UsageFigures {
        UsageFigures(
            since: question.since, until: question.until, unit: .day, total: Tally(), series: [], byDay: [],
            byEndpoint: [], bySubject: [], byStatus: [])
    }
}

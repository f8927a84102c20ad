import APIKeys
import Accounts
import Connections
import Domain
import JobKit
import LogKit
import ProcessKit
import RequestLogs
import TimeKit

#if canImport(Glibc)
import Glibc
#endif

/// `hub work`: carries out background jobs until the supervisor says to leave.
func runWork() -> Int32 {
    let log = Log(["process": "work", "pid": .init(getpid())])
    do {
        let child = try Child.adopt(log: log)
        do {
            let built = try House.build(Configuration(Settings()))
            let runner = JobRunner(JobQueue(built.database), built.jobs, threads: 4, log: log)
            let ingesting = Ingesting(built.rooms.spool, into: built.rooms.requestLogs)
            runner.start()
            try ingesting.start()
            child.slot.ready()
            child.run()
            runner.stop()
            ingesting.stop()
            runner.wait()
            ingesting.wait()
            return 0
        } catch {
            child.couldNotBoot(because: "\(error)")
        }
    } catch {
        log.error("the job runner could not take its place", ["error": .init("\(error)")])
        return ExitMessage.couldNotBootStatus
    }
}

extension BuiltHouse {
    /// What is done in the background.
    var jobs: [JobHandler] {
        [
            JobHandler("accounts.purge", every: .hours(1)) { _ in try rooms.accounts.purge() },
            JobHandler("answers.purge", every: .minutes(10)) { _ in try answers.purge() },
            JobHandler("events.purge", every: .hours(24)) { _ in try DomainEvents(world: .real).purge(in: database) },
        ] + rooms.connections.jobs + rooms.connections.messageJobs + rooms.apiKeys.jobs + rooms.requestLogs.jobs
    }

    /// The kinds of jobs as the system page names them.
    static let jobLabels = [
        "connections.message": "Send a message or a calendar event",
        "connections.messages": "Take up messages whose sending was cut off, forget old ones",
        "accounts.purge": "Forget what has ended: sessions, links, failed sign-ins",
        "answers.purge": "Forget answers kept for repeated requests",
        "events.purge": "Forget events of a month ago",
    ].merging(Connections.jobLabels) { _, new in new }.merging(APIKeys.jobLabels) { _, new in new }
        .merging(RequestLogs.jobLabels) { _, new in new }
}

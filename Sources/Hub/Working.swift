import APIKeys
import Accounts
import Connections
import Domain
import Inbound
import JobKit
import LogKit
import OAuthServer
import Platforms
import ProcessKit
import RequestLogs
import ThreadKit
import TimeKit
import Webhooks

#if canImport(Glibc)
import Glibc
#endif

/// `hub work`: carries out background jobs until the supervisor says to leave.
func runWork() -> Int32 {
    let log = Log(["process": "work", "pid": .init(getpid())])
    do {
        let child = try Child.adopt(log: log)
        do {
            let configuration = try Configuration(Settings())
            try Schema.requireKnown(configuration)
            let built = try House.build(configuration)
            let runner = JobRunner(JobQueue(built.database), built.jobs, threads: 4, log: log)
            let ingesting = Ingesting(built.rooms.spool, into: built.rooms.requestLogs)
            let bell = try Doorbell(path: Rooms.bell(in: built.configuration.stateFolder))
            let button = Doorbell.Button(path: Rooms.bell(in: built.configuration.stateFolder))
            let dispatcher = Dispatcher(
                built.rooms.webhooks, rest: { bell.wait(atMost: $0) }, ring: { button.press() })
            let inboundBell = try Doorbell(path: Rooms.inboundBell(in: built.configuration.stateFolder))
            let inboundButton = Doorbell.Button(path: Rooms.inboundBell(in: built.configuration.stateFolder))
            let inbox = Inbox(
                built.rooms.inbound, rest: { inboundBell.wait(atMost: $0) }, ring: { inboundButton.press() })
            let presence = try built.startTellingKeys()
            runner.start()
            try dispatcher.start()
            try inbox.start()
            try ingesting.start()
            child.slot.ready()
            child.run()
            runner.stop()
            dispatcher.stop()
            inbox.stop()
            ingesting.stop()
            runner.wait()
            dispatcher.wait()
            inbox.wait()
            ingesting.wait()
            presence.finish(before: .now + .seconds(1))
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
            JobHandler("accounts.purge", every: .hours(1)) { run in
                try rooms.accounts.purge { run.hasTime }
            },
            JobHandler("answers.purge", every: .minutes(10)) { run in try answers.purge { run.hasTime } },
            JobHandler("events.purge", every: .hours(24)) { _ in
                try DomainEvents(world: .real).purge(after: .days(configuration.webhooks.eventDays), in: database)
            },
        ] + rooms.connections.jobs + rooms.connections.messageJobs + rooms.apiKeys.jobs + rooms.requestLogs.jobs
            + rooms.webhooks.jobs + rooms.platforms.jobs + rooms.inbound.jobs + rooms.oauthServer.jobs
    }

    /// The kinds of jobs as the system page names them.
    static let jobLabels = [
        "connections.message": "Send a message or a calendar event",
        "connections.messages": "Take up messages whose sending was cut off, forget old ones",
        "accounts.purge": "Forget what has ended: sessions, links, failed sign-ins",
        "answers.purge": "Forget answers kept for repeated requests",
        "events.purge": "Forget what was handed on of the hub's own events",
    ].merging(Connections.jobLabels) { _, new in new }.merging(APIKeys.jobLabels) { _, new in new }
        .merging(RequestLogs.jobLabels) { _, new in new }.merging(Webhooks.jobLabels) { _, new in new }
        .merging(Platforms.jobLabels) { _, new in new }.merging(Inbound.jobLabels) { _, new in new }
        .merging(OAuthServer.jobLabels) { _, new in new }
}

extension JobRun {
    /// Whether another batch may begin: what is left waits for the next turn.
    fileprivate var hasTime: Bool { !isStopping && remaining > .seconds(5) }
}

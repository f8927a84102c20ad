import Connections
import FastCGIKit
import FoundationEssentials
import LogKit
import ProcessKit
import ThreadKit
import TimeKit

#if canImport(Glibc)
import Glibc
#endif

/// `hub serve`: the supervisor. It opens the socket and keeps the crew running; it holds no database, thread or key.
func serve() throws -> Int32 {
    let settings = try Settings()
    let configuration = try Configuration(settings)
    try configuration.requireFreeLanes()
    let log = configuration.log.with(["process": "serve"])
    guard let mode = UInt32(try settings.text(.listenMode), radix: 8) else {
        throw settings.complaint(.listenMode, "must be a mode in octal, such as 660")
    }
    let group = try settings.text(.listenGroup)
    let socket = try ListeningSocket(
        ListeningAddress(setting: settings.text(.listen)),
        access: .init(mode: mode, group: group.isEmpty ? nil : group),
        log: log)
    return try Supervisor(socket: socket, log: log) {
        let configuration = try Configuration(Settings())
        try configuration.requireFreeLanes()
        return Plan(
            executable: executablePath(),
            environment: Plan.environment(
                keeping: ["PATH", "TZ", "CREDENTIALS_DIRECTORY", Setting.siteURL.rawValue]
                    + Settings.serviceVariables(), prefixes: ["HUB_"]),
            roles: [
                Plan.Role("worker", count: configuration.workers, arguments: ["worker"]),
                Plan.Role("work", count: 1, arguments: ["work"]),
            ], patience: configuration.patience)
    }.run()
}

/// The path of this program, so that a reload takes a new one that was put there.
private func executablePath() -> String {
    let link =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    let removed = " (deleted)"
    return link.hasSuffix(removed) ? String(link.dropLast(removed.count)) : link
}

/// `hub worker`: lanes that answer requests until the supervisor says to drain.
func runWorker() -> Int32 {
    let log = Log(["process": "worker", "pid": .init(getpid())])
    do {
        let child = try Child.adopt(log: log)
        do {
            return try work(child, House.build(Configuration(Settings()), heartbeat: child.heartbeat))
        } catch {
            child.couldNotBoot(because: "\(error)")
        }
    } catch {
        log.error("a worker could not take its place", ["error": .init("\(error)")])
        return ExitMessage.couldNotBootStatus
    }
}

private func work(_ child: Child, _ built: BuiltHouse) throws -> Int32 {
    let house = built.house
    let acceptor = Acceptor(listening: Child.socketDescriptor)
    var limits = Limits()
    limits.bodyBytes = built.configuration.bodyLimit
    limits.passThrough = Connections.passThrough
    limits.passedBodyBytes = built.configuration.proxyUploadLimit
    startFastCGI()
    let lanes = try (0..<built.configuration.lanes).map { number in
        let beat = child.slot.lane(number)
        let lane = Lane(
            acceptor: acceptor, limits: limits, log: house.log, began: { beat.began() }, moved: { beat.moved() },
            ended: { beat.ended() },
            refuse: { house.refuse($0) }
        ) { house.respond(to: $0) }
        return try WorkerThread(name: "lane \(number)") { lane.run() }
    }
    child.slot.ready()
    child.run()
    acceptor.beginDraining()
    let deadline = ContinuousClock.now + (child.drainDeadline - .now())
    for lane in lanes { lane.join(before: deadline) }
    return 0
}

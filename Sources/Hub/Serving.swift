import APIKeys
import Connections
import Domain
import FastCGIKit
import FoundationEssentials
import LimitKit
import LogKit
import OAuthServer
import ProcessKit
import SiteTokens
import ThreadKit
import TimeKit

#if canImport(Glibc)
import Glibc
#endif

/// What the processes that answer requests are called among the supervisor's children; the others carry out jobs.
let workerRole = "worker"

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
                Plan.Role(workerRole, count: configuration.workers, arguments: ["worker"]),
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
            let configuration = try Configuration(Settings())
            try Schema.requireKnown(configuration)
            return try work(child, House.build(configuration, heartbeat: child.heartbeat))
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
    limits.largeBodyPlace = "inbound"
    let (gatekeeper, oauthServer) = (built.rooms.gatekeeper, built.rooms.oauthServer)
    let gate = Gate(gatekeeper: gatekeeper, oauthServer: oauthServer)
    built.rooms.siteTokens?.prepare()
    let proxyWatch = ProxyWatch(built.configuration.trustedProxies, log: house.log)
    startFastCGI()
    let lanes = try (0..<built.configuration.lanes).map { number in
        let beat = child.slot.lane(number)
        let lane = Lane(
            acceptor: acceptor, limits: limits, log: house.log, began: { beat.began() }, moved: { beat.moved() },
            ended: { beat.ended() },
            refuse: { house.refuse($0) }, admit: { gate.answer($0) }
        ) {
            proxyWatch.look(at: $0)
            return house.respond(to: $0)
        }
        // nginx hands on all that has arrived before the first lane begins, and lanes then follow each other in the same
        // caches: else each request interrupts nginx, and the two take turns for every one.
        let scheduling: WorkerThread.Scheduling = built.configuration.isBatchScheduled ? .batch : .normal
        return try WorkerThread(name: "lane \(number)", scheduling: scheduling) { lane.run() }
    }
    let errands = try Errands(name: "gate") { isLast in
        gatekeeper.flush(isLast: isLast)
        oauthServer.flush(isLast: isLast)
    }
    let tickers = [try built.startExchange(), try built.startLookingUp()]
    let presence = try built.startTellingKeys()
    child.slot.ready()
    child.run()
    acceptor.beginDraining()
    let deadline = ContinuousClock.now + (child.drainDeadline - .now())
    for ticker in tickers { ticker.stop(before: deadline) }
    for lane in lanes { lane.join(before: deadline) }
    // After the last request, so that its use of a key is written too.
    errands.finish(before: deadline)
    presence.finish(before: deadline)
    return 0
}

extension BuiltHouse {
    /// Reconciles limits with other hosts each second, in one worker of this host.
    fileprivate func startExchange() throws -> HostTicker {
        let exchange = LimitExchange(database: database, limiter: limiter, world: .real, log: house.log)
        let ticker = try HostTicker(file: "\(configuration.stateFolder)/limits-exchange", log: house.log) {
            exchange.round(isFirst: $0)
        }
        try ticker.start()
        return ticker
    }

    /// Looks each second whether another host has changed keys or tokens, in one worker of this host.
    fileprivate func startLookingUp() throws -> HostTicker {
        let (gatekeeper, oauthServer) = (rooms.gatekeeper, rooms.oauthServer)
        let ticker = try HostTicker(file: "\(configuration.stateFolder)/key-ticker", log: house.log) { _ in
            gatekeeper.lookUp()
            oauthServer.lookUp()
        }
        try ticker.start()
        return ticker
    }
}

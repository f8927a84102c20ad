import AddressKit
import AdminShell
import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import ClientKit
@testable import Webhooks

/// The room with a house around it, an organization, somebody who may change it, and a receiver.
struct Post: Sendable {
    let house: House
    let ring: KeyRing
    let room: Webhooks
    let organization: Identifier<Organization>
    let admin: Principal
    let receiver: StandIn

    /// - Parameter answer: what the receiver answers to a delivery.
    init(
        settings: Webhooks.Settings = Post.settings, _ answer: @escaping @Sendable (String) -> String? = { _ in ok }
    ) throws {
        house = try House()
        ring = KeyRing()
        receiver = StandIn(answer)
        let loopback = [Network("127.0.0.0/8")].compactMap { $0 }
        let vault = Vault(ring: ring, world: house.world)
        room = Webhooks(
            database: house.database, world: house.world, vault: vault,
            client: Client(policy: AddressPolicy(allowing: loopback), version: "test"), log: Log(threshold: .error),
            settings: settings)
        let organization = try house.organization()
        self.organization = organization
        admin = try house.person(.admin, in: organization, email: "ana@acme.example")
        try house.database.transaction { try vault.prepare(organization, in: $0) }
    }

    static let ok = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

    static var settings: Webhooks.Settings {
        var settings = Webhooks.Settings()
        settings.allowsHTTP = true
        return settings
    }

    /// Gives the organization of somebody else a key of its own.
    func prepare(_ principal: Principal) throws {
        let organization = try house.scope(of: principal).organization
        try house.database.transaction { try room.vault.prepare(organization, in: $0) }
    }

    var scope: OrganizationScope { get throws { try house.scope(of: admin) } }

    /// A webhook to the receiver.
    @discardableResult
    func webhook(
        _ events: [String] = ["*"], path: String = "/hook", to receiver: StandIn? = nil,
        _ change: (inout WebhookTerms) -> Void = { _ in }
    ) throws -> (record: WebhookRecord, secret: SigningSecret) {
        var terms = WebhookTerms()
        terms.url = try ReceiverURL("http://127.0.0.1:\((receiver ?? self.receiver).port)\(path)", allowsHTTP: true)
        terms.events = events.compactMap { EventPattern($0) }
        change(&terms)
        return try room.create(terms, by: scope)
    }

    /// Disables a webhook, as a dispatcher does whose receiver answered 410.
    func disable(_ id: Identifier<Webhook>) throws {
        try house.database.transaction { transaction in
            _ = try OutcomeStore(room: room).disable(id, .gone, "state <> 'disabled'", in: transaction)
            try room.noteChange(in: transaction)
        }
    }

    /// One who claims, with slots of their own.
    func claiming(_ slots: Slots = Slots(total: 512, each: 32)) -> Claiming {
        Claiming(room, ClaimStore(database: house.database, world: house.world), slots)
    }

    /// What came of a delivery that was claimed: an answer of this status and these header fields.
    func attempted(_ parcel: Parcel, _ status: Int, _ fields: [String] = []) -> Attempted {
        var headers = OutboundResponse.Headers()
        for field in fields { headers.take(field.utf8) }
        let timing = OutboundResponse.Timing(dns: .zero, connect: .zero, tls: .zero, firstByte: .zero, total: .zero)
        let response = OutboundResponse(status: status, headers: headers, body: [], timing: timing, peer: "")
        let now = house.world.now()
        return Attempted(
            parcel: parcel, startedAt: now, elapsed: .zero, result: .success(response),
            judgement: Judgement(
                .success(response), attempts: parcel.tries + 1, profile: room.settings.retries, chance: 0.5, now: now))
    }

    /// Takes an event.
    @discardableResult
    func take(
        _ name: String = "user.created", key: String? = nil, _ data: JSON = ["n": .integer(1)], order: String? = nil
    ) throws -> TakenEvent {
        try take([event(name, key: key, data, order: order)])[0]
    }

    @discardableResult
    func take(_ events: [NewEvent]) throws -> [TakenEvent] { try room.take(events, for: organization) }

    func event(
        _ name: String = "user.created", key: String? = nil, _ data: JSON = ["n": .integer(1)], order: String? = nil
    ) throws -> NewEvent {
        let name = try #require(EventName(name))
        return NewEvent(
            Identifier(house.world), key: key, name, data, orderingKey: order, source: .api, at: house.world.now())
    }

    /// Claims, sends and notes everything that is due now, as a dispatcher does, and says how much that was.
    @discardableResult
    func dispatch() throws -> Int {
        let slots = Slots(total: room.settings.atOnce, each: room.settings.atOncePerReceiver)
        let claiming = Claiming(room, ClaimStore(database: house.database, world: house.world), slots)
        let done = Mailbox<Attempted>()
        let sending = Sending(room, to: done) { _ in }
        sending.put(try claiming.claim())
        sending.stop()
        try sending.run()
        let attempted = done.take()
        if !attempted.isEmpty { try OutcomeStore(room: room).note(attempted) }
        return attempted.count
    }

    /// Dispatches until nothing is due.
    func dispatchAll() throws { while try dispatch() > 0 {} }

    /// Each delivery's state, attempts and last status, in the order of making.
    func deliveries() throws -> [String] {
        try house.database.rows(
            "SELECT state, attempts, last_status, last_error FROM deliveries ORDER BY sequence, id LIMIT 1000"
        ).map { row in
            let status: Int? = try row.get("last_status")
            let error: String? = try row.get("last_error")
            return try "\(row.get("state", as: String.self)) \(row.get("attempts", as: Int.self)) "
                + (status.map { "\($0)" } ?? error ?? "-")
        }
    }
}

extension Post {
    /// The value of a header field in a request as it came.
    static func field(_ name: String, in request: String) -> String? {
        request.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
            .map { String($0.dropFirst(name.utf8.count + 1).trimmed) }
    }

    /// The body of a request as it came.
    static func body(of request: String) -> [UInt8] {
        guard let cut = request.range(of: "\r\n\r\n") else { return [] }
        return Array(request[cut.upperBound...].utf8)
    }
}

extension Post {
    /// Whether a text stands in any column of a table as it is.
    func isStored(_ text: String, in table: StaticString) throws -> Bool {
        let name = "\(table)"
        let columns = try house.database.rows(
            """
            SELECT column_name AS name
              FROM information_schema.columns
             WHERE table_schema = DATABASE() AND table_name = \(name)
            """
        ).map { try $0.get("name", as: String.self) }
        let found = columns.map { "INSTR(CAST(\(unescaped: $0) AS BINARY), CAST(\(text) AS BINARY)) > 0" as SQL }
        let statement: SQL = "SELECT 1 AS one FROM \(unescaped: name) WHERE \(SQL(joining: found, by: " OR ")) LIMIT 1"
        return try house.database.row(statement) != nil
    }
}

/// Runs a body in several threads and gives what each gave.
func inThreads<Result: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Result) throws -> [Result] {
    let results = Lock<[Swift.Result<Result, any Error>]>([])
    let threads = try (0..<count).map { number in
        try WorkerThread(name: "test \(number)") {
            let result = Swift.Result { try body(number) }
            results.withLock { $0.append(result) }
        }
    }
    threads.forEach { $0.join() }
    return try results.withLock { $0 }.map { try $0.get() }
}

import AdminShell
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import SpoolKit
import Testing
import ThreadKit
import TimeKit

@testable import RequestLogs

/// The room with a spool in a folder of its own.
final class Archive: Sendable {
    let house: House
    let room: RequestLogs
    let door: Door
    let folder: String
    let organization: Identifier<Organization>
    let ana: Principal
    /// An hour before the clock of the house, on the hour: 2027-01-15T07:00:00Z.
    let start = Timestamp(seconds: 1_799_996_400)

    init(settings: RequestLogs.Settings = .init()) throws {
        house = try House(connections: 4)
        folder = FileManager.default.temporaryDirectory.appending(path: "archive-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        room = RequestLogs(
            database: house.database, world: house.world, settings: settings, log: Log(threshold: .error))
        door = try Door(house, room.routes, templates: RequestLogs.templates)
        organization = try house.organization()
        ana = try house.person(.owner, in: organization, email: "ana@acme.example")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Where nginx writes, which need not be where the hub does.
    var gateFolder: String { folder + "/of-nginx" }

    func spool() throws -> RequestSpool {
        try RequestSpool(state: folder, gateFolder: gateFolder, log: Log(threshold: .error))
    }

    /// Takes in all there is.
    func ingest(_ spool: RequestSpool) throws {
        let ingesting = Ingesting(spool, into: room)
        while try ingesting.runOnce() {}
        _ = try ingesting.runOnce()
    }

    /// Writes requests and takes them in.
    func log(_ requests: [LoggedRequest]) throws {
        let spool = try spool()
        requests.forEach(spool.write)
        try ingest(spool)
    }

    func key(_ name: String, of user: Identifier<User>? = nil) throws -> Identifier<APIKey> {
        let id = Identifier<APIKey>(house.world)
        try house.database.execute(
            """
            INSERT INTO api_keys (id, organization_id, user_id, name, prefix, last_four, key_hash, scopes, created_at, updated_at)
            VALUES (\(id), \(organization), \(user), \(name), 'sk_', '0000', \(id.bytes + id.bytes), '', \(start), \(start))
            """)
        return id
    }

    func request(
        _ seconds: Int64 = 0, key: Identifier<APIKey>? = nil, method: String = "GET",
        route: String = "/api/v1/connections",
        path: String? = nil, status: Int = 200, milliseconds: Int = 5, bytes: Int = 100, id: String = "r",
        connection: Identifier<Connection>? = nil, surface: LoggedRequest.Surface = .api,
        organization: Identifier<Organization>? = nil
    ) -> LoggedRequest {
        LoggedRequest(
            at: start + .seconds(seconds), organization: organization ?? self.organization, surface: surface,
            actorKind: key == nil ? .user : .apiKey, actorID: key?.bytes ?? ana.browser?.user.bytes,
            connection: connection, method: method, route: route, path: path ?? route, status: status,
            duration: .milliseconds(milliseconds), bytes: bytes, address: "203.0.113.9", userAgent: "curl/8.5.0",
            requestID: id, code: status == 422 ? "validation_failed" : "")
    }

    func json(_ path: String, _ query: String = "", as principal: Principal? = nil) throws -> JSON {
        let answer = try door.send(.get, path, as: principal ?? ana, query: query)
        let text = try answer.text()
        try #require(answer.status == 200, "\(text)")
        return try JSON(parsing: Array(text.utf8))
    }

    func ids(_ query: String, as principal: Principal? = nil) throws -> [String] {
        try json("/api/v1/request-logs", query, as: principal)["data"]?.elements?.compactMap { $0["request_id"]?.text }
            ?? []
    }

    func count(_ sql: SQL) throws -> Int { try #require(try house.database.row(sql)).get("n") }
}

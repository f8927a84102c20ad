import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import Testing
import ThreadKit
import TimeKit

@testable import Hub

/// The way from one master key to another, in the whole house.
@Suite(.timeLimit(.minutes(15))) struct KeyRotations {
    private let door: FrontDoor
    private let path: String

    init() throws {
        door = try FrontDoor()
        try door.person("ana@acme.example")
        path = door.built.configuration.keyringPath
    }

    private var ring: KeyRing { get throws { try KeyRing.load(path: path) } }
    private var rotation: KeyRotation { get throws { try KeyRotation(path: path, door.database, world: .real) } }

    /// A process that has loaded the ring as it is now.
    private func process(_ number: Int32, host: UInt8 = 1) throws -> KeyHolder {
        let made = KeyHolder(
            try ring, host: [UInt8](repeating: host, count: 16), hostName: "web-\(host)", processID: number,
            world: .real)
        try KeyHolders(door.database).note(made)
        return made
    }

    private func leave(_ holder: KeyHolder) throws { try KeyHolders(door.database).forget(holder.id) }

    private func refuses(_ words: String, _ body: () throws -> Void) throws {
        let before = try Data(contentsOf: URL(filePath: path))
        let refused = #expect(throws: CommandError.self) { try body() }
        #expect(refused?.description.contains(words) == true, "\(String(describing: refused))")
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
    }

    @Test("A key is added, made primary once all have loaded it, and the former one retired once nobody wraps with it")
    func whole() throws {
        let former = try ring.primary
        let old = try process(1)
        #expect(try rotation.step == .add)
        let id = try rotation.add()
        #expect(try ring.primary == former && ring.next == id && rotation.step == .promote(id))
        try refuses("not loaded yet by process 1 on web-1") { try rotation.promote(id) }
        let loaded = try process(2)
        try refuses("process 1 on web-1, which") { try rotation.promote(id) }
        try leave(old)
        try rotation.promote(id)
        #expect(try ring.primary == id && ring.former == [former] && rotation.step == .rewrap)
        try refuses("not yet the primary one of process 2") { _ = try rotation.retire() }
        #expect(try rotation.rewrap { _ in }.done == 1 && rotation.step == .retire([former]))
        // One that has not loaded the ring again makes another organization.
        let scope = Identifier<Organization>(.real)
        try door.database.transaction { transaction in
            try transaction.execute(
                "INSERT INTO organizations (id, name, created_at, updated_at) VALUES (\(scope), 'Late', NOW(), NOW())")
            let wrapped = try ring.promoting(former).wrap(DataKey(number: 1), context: scope.bytes)
            try transaction.execute(
                "INSERT INTO data_keys (organization_id, number, wrapped, created_at) VALUES (\(scope), 1, \(wrapped), NOW())"
            )
        }
        try leave(loaded)
        _ = try process(3)
        try refuses("1 data key is still wrapped by key \(former)") { _ = try rotation.retire() }
        #expect(try rotation.step == .rewrap && rotation.rewrap { _ in }.done == 1)
        #expect(try rotation.retire() == [former] && ring.ids == [id])
        let actions = try door.database.rows(
            "SELECT action FROM audit_events WHERE object_kind = 'master_key' ORDER BY id")
        #expect(
            try actions.map { try $0.get("action", as: String.self) } == [
                "keyring.key_added", "keyring.key_promoted", "keyring.data_key_rewrapped",
                "keyring.data_key_rewrapped", "keyring.key_retired", "keyring.key_retired",
            ])
        // Whoever still has the retired key has not loaded the ring since.
        try refuses("has key \(former), which the key ring") { _ = try rotation.add() }
    }

    @Test("On a host whose ring is older than what rows or processes need, no step is taken")
    func stale() throws {
        let stale = try ring
        let id = try rotation.add()
        let added = try process(1, host: 2)
        try stale.write(to: path)
        try refuses("has key \(id), which the key ring") { _ = try rotation.add() }
        try leave(added)
        try stale.adding().ring.write(to: path)
        let (newer, other) = try ring.promoting(#require(ring.next)).adding()
        _ = try Rewrapping(
            door.database, ring: newer.promoting(other), world: .real, by: Actor(kind: .hub, name: "hub"),
            rest: { _ in }
        ).run()
        try refuses("lacks key \(other)") { try rotation.promote(#require(ring.next)) }
        try refuses("lacks key \(other)") { _ = try rotation.retire() }
        #expect(try rotation.missing == [other])
    }

    @Test("While a host does not tell its keys nothing is promoted or retired")
    func silent() throws {
        let id = try rotation.add()
        let host = [UInt8](repeating: 9, count: 16)
        try door.database.execute("INSERT INTO limit_hosts (host, seen_at) VALUES (\(host), UTC_TIMESTAMP(6))")
        try refuses("1 host does not tell") { try rotation.promote(id) }
        try door.database.execute("UPDATE limit_hosts SET seen_at = seen_at - INTERVAL 11 SECOND")
        try rotation.promote(id)
    }

    @Test("A process tells its keys from its beginning to its end, and forgets those of its host that were killed")
    func telling() throws {
        let killed = KeyHolder(
            try ring, host: door.built.limiter.host, hostName: "here", processID: .max, world: .real)
        try KeyHolders(door.database).note(killed)
        let presence = try door.built.startTellingKeys()
        let running = try KeyHolders(door.database).running()
        #expect(running.map(\.processID) == [ProcessInfo.processInfo.processIdentifier])
        #expect(try running.map(\.keys) == [ring.ids])
        #expect(presence.finish(before: .now + .seconds(30)))
        #expect(try KeyHolders(door.database).running().isEmpty)
    }

    @Test("A cursor leads on over a whole rotation, whichever of the processes has loaded the ring")
    func cursors() throws {
        for number in 0..<3 { _ = try door.person("p\(number)@acme.example", .member) }
        let headers: Headers = ["authorization": "Bearer \(try door.key())"]
        func page(_ house: House, _ cursor: String? = nil) throws -> JSON {
            let answer = try Visitor(door, at: house).get(
                "/api/v1/audit-log?limit=1" + (cursor.map { "&cursor=\($0)" } ?? ""), headers: headers)
            #expect(answer.status == 200, "\(answer.text)")
            return try JSON(parsing: Array(answer.text.utf8))
        }
        var houses = [door.built.house]
        var cursor = try #require(try page(houses[0])["next_cursor"]?.text)
        func passesOn() throws {
            houses.append(try door.anotherProcess().house)
            for house in houses { _ = try page(house, cursor) }
            for house in houses {
                let made = try #require(try page(house)["next_cursor"]?.text)
                for other in houses { _ = try page(other, made) }
            }
        }
        let id = try rotation.add()
        try passesOn()
        houses.removeFirst()
        try rotation.promote(id)
        try passesOn()
        _ = try rotation.rewrap { _ in }
        try passesOn()
        houses.removeAll()
        _ = try rotation.retire()
        try passesOn()
        cursor = try #require(try page(houses[0])["next_cursor"]?.text)
        try passesOn()
    }

    @Test("While the hub's own key cannot be had, keys of the ring stand in for it")
    func standIns() throws {
        let lasting = { (ring: KeyRing) in
            LastingKeys(Vault(ring: ring, world: .real), ring, door.database).keys(for: "cursors").map(\.bytes)
        }
        let (first, other) = (try ring, KeyRing())
        let before = lasting(first)
        #expect(before.count == 2 && lasting(first) == before)
        #expect(lasting(other) == [other.derivedKey(label: "cursors").bytes])
        #expect(before[1] == first.derivedKey(label: "cursors").bytes && before[0] != before[1])
    }
}

extension SymmetricKey {
    /// A copy of the key, to compare.
    fileprivate var bytes: [UInt8] { withBytes { span in span.indices.map { span[$0] } } }
}

import CipherKit
import DatabaseKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Domain

@Suite(.timeLimit(.minutes(5))) struct Rewrappings {
    private let house: House
    private let former = KeyRing()
    /// The ring after the promotion of another key.
    private let ring: KeyRing
    private let organizations: [Identifier<Organization>]

    init() throws {
        house = try House()
        let (added, id) = former.adding()
        ring = try added.promoting(id)
        let vault = Vault(ring: former, world: house.world)
        var made: [Identifier<Organization>] = []
        for number in 0..<120 {
            let id = try house.organization("Shop \(number)")
            try house.database.transaction { try vault.prepare(id, in: $0) }
            made.append(id)
        }
        organizations = made.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    private var rewrapping: Rewrapping {
        Rewrapping(
            house.database, ring: ring, world: house.world, by: Actor(kind: .commandLine, name: "root"),
            rest: { _ in })
    }

    private func wrapped(_ organization: Identifier<Organization>) throws -> [UInt8] {
        try #require(
            try house.database.row("SELECT wrapped FROM data_keys WHERE organization_id = \(organization)")
        ).get("wrapped")
    }

    @Test("Every data key is wrapped anew, the hub's own too, and what they have sealed opens without the former key")
    func whole() throws {
        let before = Vault(ring: former, world: house.world)
        let place = Vault.Place("connections", organizations[7], "secrets")
        let sealed = try before.seal([1, 2, 3], at: place, for: organizations[7], in: house.database)
        let own = try before.hubKey(label: "cursors", in: house.database)
        var told: [Int] = []
        let progress = try rewrapping.run { told.append($0.done) }
        #expect(progress == .init(total: 121, done: 121, failed: 0) && told == [50, 100, 121])
        #expect(try Vault.dataKeyCounts(in: house.database) == [ring.primary: 121])
        let alone = Vault(ring: try ring.removing(former.primary), world: house.world)
        #expect(try alone.open(sealed, at: place, for: organizations[7], in: house.database) == [1, 2, 3])
        #expect(try alone.hubKey(label: "cursors", in: house.database).bytes == own.bytes)
        #expect(try alone.hubKey(label: "other", in: house.database).bytes != own.bytes)
        #expect(try house.auditedActions().filter { $0 == "keyring.data_key_rewrapped" }.count == 120)
    }

    @Test("Begun again it does the rest, and once done it changes nothing")
    func resumed() throws {
        #expect(try rewrapping.rewrap(rewrapping.batch(after: nil)) == 0)
        #expect(try Vault.dataKeyCounts(in: house.database) == [ring.primary: 50, former.primary: 70])
        let (done, open) = (try wrapped(organizations[0]), try rewrapping.batch(after: nil))
        #expect(open.first?.organization == organizations[50])
        #expect(try rewrapping.run() == .init(total: 70, done: 70, failed: 0))
        #expect(try rewrapping.run() == .init(total: 0, done: 0, failed: 0))
        #expect(try wrapped(organizations[0]) == done)
        // One that was read before and comes too late finds other bytes, and leaves them.
        let later = try wrapped(organizations[50])
        #expect(try rewrapping.rewrap(open) == 0 && wrapped(organizations[50]) == later)
        #expect(try house.auditedActions().filter { $0 == "keyring.data_key_rewrapped" }.count == 120)
    }

    @Test("A row that is written or removed meanwhile stays as its writer left it")
    func raced() throws {
        let read = try rewrapping.batch(after: nil)
        let written = former.wrap(DataKey(number: 1), context: organizations[3].bytes)
        try house.database.execute(
            "UPDATE data_keys SET wrapped = \(written) WHERE organization_id = \(organizations[3])")
        try house.database.execute("DELETE FROM data_keys WHERE organization_id = \(organizations[4])")
        #expect(try rewrapping.rewrap(read) == 0)
        #expect(try wrapped(organizations[3]) == written)
        #expect(try Vault.dataKeyCounts(in: house.database) == [ring.primary: 48, former.primary: 71])
        _ = try rewrapping.run()
        let key = try ring.unwrap(wrapped(organizations[3]), number: 1, context: organizations[3].bytes)
        #expect(
            try key.key.bytes == former.unwrap(written, number: 1, context: organizations[3].bytes).key.bytes)
        #expect(try Vault.dataKeyCounts(in: house.database) == [ring.primary: 119])
    }

    @Test("What cannot be unwrapped is counted and left as it is, and holds up nothing else")
    func damaged() throws {
        var bytes = try wrapped(organizations[5])
        bytes[40] ^= 1
        try house.database.execute(
            "UPDATE data_keys SET wrapped = \(bytes) WHERE organization_id = \(organizations[5])")
        #expect(try rewrapping.run() == .init(total: 120, done: 120, failed: 1))
        #expect(try wrapped(organizations[5]) == bytes)
        #expect(try Vault.dataKeyCounts(in: house.database) == [ring.primary: 119, former.primary: 1])
    }

    @Test("A process is known with its keys until it leaves, is killed, or was silent for an hour")
    func holders() throws {
        let holders = KeyHolders(house.database)
        func holder(_ number: Int32, host: UInt8, _ ring: KeyRing) -> KeyHolder {
            KeyHolder(
                ring, host: [UInt8](repeating: host, count: 16), hostName: "web-\(host)", processID: number,
                world: .real)
        }
        let made = [holder(1, host: 1, former), holder(2, host: 1, ring), holder(2, host: 2, ring)]
        for _ in 0..<2 { for one in made { try holders.note(one) } }
        let running = try holders.running()
        #expect(running.map(\.name) == ["process 1 on web-1", "process 2 on web-1", "process 2 on web-2"])
        #expect(running.map(\.primary) == [former.primary, ring.primary, ring.primary])
        #expect(running.map(\.keys) == [former.ids, ring.ids, ring.ids])
        try holders.forgetGone(of: made[0].host) { $0 == 1 }
        #expect(try holders.running().map(\.id) == [made[0].id, made[2].id])
        try holders.forget(made[2].id)
        try house.database.execute("UPDATE keyring_processes SET seen_at = seen_at - INTERVAL 59 MINUTE")
        #expect(try holders.running().count == 1)
        try house.database.execute("UPDATE keyring_processes SET seen_at = seen_at - INTERVAL 2 MINUTE")
        #expect(try holders.running().isEmpty)
        try holders.forgetGone(of: made[2].host) { _ in true }
        #expect(try house.database.row("SELECT id FROM keyring_processes") == nil)
    }
}

extension SymmetricKey {
    /// A copy of the key, to compare.
    fileprivate var bytes: [UInt8] { withBytes { span in span.indices.map { span[$0] } } }
}

import CipherKit
import DatabaseKit
import Testing
import TimeKit

@testable import Domain

extension World {
    /// A clock that stands, and chance that is always the same byte.
    static func still(_ moment: Timestamp, byte: UInt8 = 0xff) -> World {
        World(now: { moment }, randomBytes: { [UInt8](repeating: byte, count: $0) })
    }
}

@Suite struct Identifiers {
    @Test("An id is a UUID version 7 of the variant of RFC 9562, whatever chance says")
    func shape() throws {
        for byte: UInt8 in [0, 0xff, 0x5a] {
            let id = Identifier<User>(.still(Timestamp(microseconds: 1_645_557_742_000_999), byte: byte))
            #expect(id.text.hasPrefix("017f22e2-79b0-7"))
            #expect(id.bytes[6] >> 4 == 7 && id.bytes[8] >> 6 == 2 && id.text.utf8.count == 36)
        }
        #expect(Identifier<User>(.still(Timestamp(seconds: 0), byte: 0)).text == "00000000-0000-7000-8000-000000000000")
        #expect(Identifier<User>(.still(Timestamp(seconds: 0))).text == "00000000-0000-7000-bfff-ffffffffffff")
    }

    @Test("The order of ids is the order of making to the microsecond, as text and as bytes")
    func order() {
        let made = (0..<500).map { (microsecond: Int64) in
            Identifier<User>(
                World(
                    now: { Timestamp(microseconds: 1_795_260_245_120_700 + microsecond) },
                    randomBytes: { Random.bytes($0) }))
        }
        #expect(made.map(\.text) == made.map(\.text).sorted())
        #expect(zip(made, made.dropFirst()).allSatisfy { $0.bytes.lexicographicallyPrecedes($1.bytes) })
    }

    @Test("An id is read back from text in either case, from bytes and from a column, and tells when it was made")
    func roundTrip() {
        for _ in 0..<500 {
            let id = Identifier<User>(.real)
            #expect(Identifier<User>(id.text) == id && Identifier<User>(id.text.uppercased()) == id)
            #expect(
                Identifier<User>(bytes: id.bytes) == id && Identifier<User>(column: id.bound) == id
                    && "\(id)" == id.text)
        }
        #expect(Identifier<User>(.still(Timestamp(microseconds: 1_999))).made == Timestamp(microseconds: 1_000))
        // One that was made up claims a moment that no column can be compared with.
        let late = Identifier<User>("f147d8da-7439-7214-a28a-ff378970729b")
        #expect(late?.made == Timestamp(rfc3339: "9999-12-31T23:59:59Z"))
        #expect(Set((0..<5_000).map { _ in Identifier<User>(.real) }).count == 5_000)
    }

    @Test("A clock before 1970 or beyond all measure makes an id all the same", arguments: [Int64.min, -1, .max])
    func absurd(microseconds: Int64) {
        let id = Identifier<User>(.still(Timestamp(microseconds: microseconds)))
        #expect(id.bytes[6] >> 4 == 7 && id.bytes[8] >> 6 == 2 && !id.made.rfc3339.isEmpty)
    }

    @Test(
        "Anything else is no id",
        arguments: [
            "", "017f22e279b07000800000000000000a", "{017f22e2-79b0-7000-8000-00000000000a}",
            "017f22e2-79b0-7000-8000-00000000000", "017f22e2-79b0-7000-8000-00000000000g",
            "017f22e2-79b0-7000-8000-00000000000aa", "017f22e2+79b0-7000-8000-00000000000a",
            "017f22e2--9b0-7000-8000-00000000000a", "017f22e2-79b0-7000-8000-0000000000é",
            " 17f22e2-79b0-7000-8000-00000000000a",
        ])
    func foreign(text: String) {
        #expect(Identifier<User>(text) == nil)
    }

    @Test("Bytes of another count, or of another kind of column, are no id")
    func foreignBytes() {
        #expect(Identifier<User>(bytes: [UInt8](repeating: 0, count: 15)) == nil && Identifier<User>(bytes: []) == nil)
        #expect(Identifier<User>(column: .null) == nil && Identifier<User>(column: .text("x")) == nil)
    }
}

@Suite struct Rights {
    @Test("A scope is two words of a small alphabet, the second perhaps a star")
    func reading() throws {
        for text in ["connections:read", "a:*", "api_keys:write", "x-1:y_2", "admin:*"] {
            #expect(Scope(text)?.description == text)
        }
        for text in [
            "", ":", "a", "a:", ":a", "*:read", "*:*", "a:b:c", "A:read", "a: read", "a:re*", "a:**", "é:read", "a\n:b",
            String(repeating: "a", count: 65) + ":b",
        ] {
            #expect(Scope(text) == nil, "\(text)")
        }
    }

    @Test("A scope covers itself, a star its resource, and admin:* everything; nothing else covers more")
    func covering() throws {
        let names = [
            "admin:*", "admin:read", "connections:*", "connections:read", "connections:write", "connection:read",
            "credentials:read", "users:*", "users:read",
        ]
        let expected: [String: Set<String>] = [
            "admin:*": Set(names), "admin:read": ["admin:read"],
            "connections:*": ["connections:*", "connections:read", "connections:write"],
            "users:*": ["users:*", "users:read"],
        ]
        for one in names {
            for other in names {
                let covers = try #require(Scope(one)).covers(#require(Scope(other)))
                #expect(covers == (expected[one] ?? [one]).contains(other), "\(one) covers \(other)")
            }
        }
    }

    /// r: reads, w: writes, -: neither; written out so that a change of the table is a change of this page.
    static let matrix: [(Resource, owner: String, admin: String, member: String, support: String)] = [
        (.connections, "rw", "rw", "r", "r"), (.credentials, "rw", "rw", "-", "-"), (.messages, "rw", "rw", "r", "r"),
        (.channels, "rw", "rw", "r", "r"),
        (.apiKeys, "rw", "rw", "rw", "r"), (.webhooks, "rw", "rw", "r", "r"), (.events, "rw", "rw", "r", "r"),
        (.oauthApps, "rw", "rw", "r", "r"),
        (.requestLogs, "rw", "rw", "r", "r"), (.usage, "rw", "rw", "r", "r"), (.audit, "rw", "rw", "r", "r"),
        (.organization, "rw", "rw", "r", "r"), (.providers, "rw", "rw", "r", "r"),
    ]

    @Test("Each role holds exactly the rights of the table")
    func roles() {
        #expect(Self.matrix.map(\.0) == Resource.allCases)
        for row in Self.matrix {
            for (role, rights) in [
                (Role.owner, row.owner), (.admin, row.admin), (.member, row.member), (.support, row.support),
            ] {
                #expect(role.allows(.read(row.0)) == rights.contains("r"), "\(role) reads \(row.0)")
                #expect(role.allows(.write(row.0)) == rights.contains("w"), "\(role) writes \(row.0)")
            }
        }
        #expect(Role.allCases.map { $0.allows(.everything) } == [true, true, false, false])
    }

    @Test("A credential never holds more than the role behind it, nor more than itself")
    func limits() throws {
        let organization = Identifier<Organization>(.real)
        func scope(_ role: Role, _ limits: [Scope]?) throws -> OrganizationScope {
            let membership = Principal.Membership(organization: organization, name: "A", role: role)
            let principal = Principal(actor: Actor(kind: .apiKey, name: "k"), memberships: [membership], limits: limits)
            return try #require(OrganizationScope(of: principal, in: organization, remoteAddress: "-", requestID: "-"))
        }
        #expect(
            try !scope(.member, [.everything]).allows(.read(.credentials))
                && scope(.member, [.everything]).allows(.read(.connections)))
        #expect(
            try !scope(.owner, [.read(.connections)]).allows(.write(.connections))
                && !scope(.owner, []).allows(.read(.connections)))
        #expect(try scope(.owner, nil).allows(.everything) && !scope(.support, nil).allows(.write(.apiKeys)))
    }

    @Test("Nobody gets the scope of an organization that they do not belong to")
    func foreign() {
        let membership = Principal.Membership(organization: Identifier(.real), name: "A", role: .owner)
        let principal = Principal(actor: Actor(kind: .user, name: "a"), memberships: [membership])
        #expect(OrganizationScope(of: principal, in: Identifier(.real), remoteAddress: "-", requestID: "-") == nil)
    }
}

import Accounts
import DatabaseKit
import Domain
import LogKit
import Testing
import TimeKit

@testable import Hub

@Suite(.timeLimit(.minutes(15))) struct OrganizationsOfTheCommandLine {
    private func name(_ organization: Identifier<Organization>, _ name: String, in door: FrontDoor) throws {
        let now = door.clock.now
        try door.database.execute(
            "INSERT INTO organizations (id, name, created_at, updated_at) VALUES (\(organization), \(name), \(now), \(now))"
        )
    }

    @Test("A name that several organizations have is refused with their ids, and an id names one of them")
    func several() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let (first, second) = (try door.organization(), Identifier<Organization>(.real))
        try name(second, "Acme Shop", in: door)
        let refused = #expect(throws: AccountsRefusal.self) { try door.organization() }
        #expect(refused?.description.contains(first.text) == true)
        #expect(refused?.description.contains(second.text) == true)
        #expect(try door.organization(second.text) == second && door.organization(first.text.uppercased()) == first)
        #expect(throws: AccountsRefusal.self) { try door.organization(Identifier<Organization>(.real).text) }
        #expect(throws: AccountsRefusal.self) { try door.accounts.organizationScope(named: nil) }
    }

    @Test("An organization that is named like the id of another one does not stand for it")
    func disguised() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let (real, other) = (try door.organization(), Identifier<Organization>(.real))
        try name(other, real.text, in: door)
        #expect(try door.organization(real.text) == real)
    }

    @Test("A person is added to the organization that is meant, or to none")
    func person() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let second = Identifier<Organization>(.real)
        try name(second, "Acme Shop", in: door)
        func add(_ email: String, to organization: String) throws {
            try door.accounts.createUser(
                email: email, name: nil, organization: organization, role: .owner,
                password: Secret(FrontDoor.password))
        }
        #expect(throws: AccountsRefusal.self) { try add("bo@acme.example", to: "Acme Shop") }
        #expect(throws: AccountsRefusal.self) { try add("bo@acme.example", to: Identifier<Organization>(.real).text) }
        try add("bo@acme.example", to: second.text)
        #expect(try door.count("SELECT COUNT(*) AS n FROM users") == 2)
        #expect(try door.count("SELECT COUNT(*) AS n FROM organizations") == 2)
        #expect(try door.count("SELECT COUNT(*) AS n FROM memberships WHERE organization_id = \(second)") == 1)
    }
}

@Suite(.timeLimit(.minutes(15))) struct Purges {
    @Test("However many sessions, links and failed sign-ins are over, all are forgotten in one turn")
    func accounts() throws {
        let door = try FrontDoor()
        let past = door.clock.now - .days(2)
        for statement: SQL in [
            "INSERT INTO sign_in_failures (subject, failures, last_failed_at) SELECT UNHEX(LPAD(HEX(seq), 64, '0')), 1, \(past) FROM seq_1_to_2500",
            """
            INSERT INTO sessions
                   (id, token_hash, user_id, remote_address, user_agent, created_at, last_seen_at, expires_at)
            SELECT UNHEX(LPAD(HEX(seq), 32, '0')), UNHEX(LPAD(HEX(seq), 64, '0')), REPEAT('u', 16), '-', '-', \(past),
                   \(past), \(past)
              FROM seq_1_to_2500
            """,
        ] {
            try door.database.execute(statement)
        }
        try door.accounts.purge { false }
        #expect(try door.count("SELECT COUNT(*) AS n FROM sessions") == 1_500, "a turn without time does one batch")
        try door.accounts.purge()
        #expect(try door.count("SELECT COUNT(*) AS n FROM sessions") == 0)
        #expect(try door.count("SELECT COUNT(*) AS n FROM sign_in_failures") == 0)
    }
}

import Accounts
import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import Testing
import TimeKit

@testable import Hub

@Suite(.timeLimit(.minutes(15))) struct Repetition {
    private func house() throws -> (FrontDoor, key: String) {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        return (door, try door.key())
    }

    private func post(
        _ door: FrontDoor, _ key: String, _ name: String, as token: String = "t-1", query: String = ""
    ) throws -> Response {
        try Visitor(door).send(
            .post, "/api/v1/workspaces" + query, json: #"{"name":"\#(name)"}"#,
            headers: ["authorization": "Bearer \(key)", "idempotency-key": token])
    }

    @Test("The same key and body give the first answer again, and have one effect")
    func replay() throws {
        let (door, key) = try house()
        let (first, second) = (try post(door, key, "A"), try post(door, key, "A"))
        #expect(first.status == 201 && second.status == 201 && first.text == second.text)
        #expect(first.headers["idempotent-replayed"] == nil && second.headers["idempotent-replayed"] == "true")
        for name in ["location", "etag", "content-type"] {
            #expect(first.headers.all(name) == second.headers.all(name))
        }
        #expect(
            second.headers.all("x-request-id").count == 1 && second.headers.all("content-security-policy").count == 1)
        #expect(try door.count("SELECT COUNT(*) AS n FROM workspaces WHERE name = 'A'") == 1)
    }

    @Test(
        "The same key with another body or query is 422, of somebody else it is another key, and after a day a new one")
    func others() throws {
        let (door, key) = try house()
        _ = try post(door, key, "A")
        #expect(try post(door, key, "B").status == 422 && post(door, key, "A", query: "?x=1").status == 422)
        #expect(try post(door, door.key(), "B").status == 201)
        door.clock.pass(.hours(24) + .seconds(1))
        #expect(try post(door, key, "C").status == 201)
        #expect(
            try post(door, key, "D", as: "").status == 400
                && post(door, key, "D", as: String(repeating: "x", count: 256)).status == 400)
    }

    @Test("A refused request leaves its key free")
    func refused() throws {
        let (door, key) = try house()
        #expect(try post(door, key, "").status == 422 && post(door, key, "A").status == 201)
    }

    private struct Lost: Error {}

    /// Sends a request whose work is the body; gives the status, or nil for an error that is no problem.
    private func perform(_ door: FrontDoor, isScript: Bool = true, _ body: () throws -> Response) throws -> Int? {
        let scope = try door.accounts.organizationScope(named: nil)
        let call = Call(
            request: Request(.post, path: try #require(Path("/api/v1/workspaces"))), principal: nil,
            organization: scope, shell: door.built.house.shell, csrfToken: "", log: Log(threshold: .error))
        do {
            return try door.built.answers.once(
                key: "k", call, by: scope.actor, scope, isScript: isScript, body
            ).status.code
        } catch let problem as Problem {
            return problem.status.code
        } catch is Lost {
            return nil
        }
    }

    @Test("What may have stayed keeps its key, whatever went wrong after it; what was rolled back gives it free")
    func kept() throws {
        let (door, _) = try house()
        let database = door.database
        #expect(
            try perform(door) {
                try database.transaction { transaction in
                    try transaction.execute("DELETE FROM workspaces")
                    throw Lost()
                }
            } == nil)
        #expect(
            try perform(door) { throw Problem(503, "busy", "Later.") } == 503, "the key is free, and free again")
        #expect(
            try perform(door) {
                try database.transaction {
                    try $0.execute(
                        "UPDATE generations SET value = value + 1 WHERE name = \(Generations.apiKeys)")
                }
                throw Lost()
            } == nil)
        #expect(try perform(door) { Response(status: 201) } == 409)
        door.clock.pass(.minutes(2))
        #expect(try perform(door) { Response(status: 201) } == 409, "nobody knows whether it is done")
    }

    @Test("When a service may have done it nobody knows, and the answer that says so is given again")
    func unknown() throws {
        for isScript in [true, false] {
            let (door, _) = try house()
            let silent = Problem(502, "platform_silent", "It is not known whether it was posted.")
            #expect(try perform(door, isScript: isScript) { throw silent } == 502)
            #expect(try perform(door, isScript: isScript) { Response(status: 201) } == (isScript ? 502 : 409))
        }
    }

    @Test("A key that is given back in the very moment it is asked for is not used without a claim")
    func gone() throws {
        let (door, _) = try house()
        // What is not inserted and not there is as good as deleted in between: IGNORE passes over what has no partition.
        try door.database.execute(
            """
            ALTER TABLE idempotent_answers PARTITION BY RANGE COLUMNS (caller) (PARTITION none VALUES LESS THAN (''))
            """)
        var performed = 0
        let status = try perform(door) {
            performed += 1
            return Response(status: 201)
        }
        #expect(status == 409 && performed == 0)
    }

    @Test("However many answers are too old, all are forgotten in one turn")
    func purge() throws {
        let (door, key) = try house()
        try door.database.execute(
            """
            INSERT INTO idempotent_answers (caller, fingerprint, organization_id, created_at)
            SELECT UNHEX(LPAD(HEX(seq), 64, '0')), REPEAT('x', 32), REPEAT('x', 16), \(door.clock.now - .hours(25))
              FROM seq_1_to_3500
            """)
        _ = try post(door, key, "A")
        try door.built.answers.purge()
        #expect(try door.count("SELECT COUNT(*) AS n FROM idempotent_answers") == 1)
    }

    @Test("Of 32 at once one has its effect, the others get its answer or are told to wait")
    func parallel() throws {
        let (door, key) = try house()
        let answers = try inThreads(32) { _ in try post(door, key, "A").status.code }
        #expect(answers.allSatisfy { [201, 409, 503].contains($0) } && answers.contains(201), "\(answers)")
        #expect(try door.count("SELECT COUNT(*) AS n FROM workspaces WHERE name = 'A'") == 1)
    }

    @Test("A kept answer cannot be read in the database")
    func sealed() throws {
        let (door, key) = try house()
        _ = try post(door, key, "Hush")
        let row = try #require(try door.database.row("SELECT answer_sealed FROM idempotent_answers"))
        let sealed: [UInt8] = try row.get("answer_sealed")
        #expect(
            !String(decoding: sealed, as: UTF8.self).contains("Hush")
                && !String(decoding: sealed, as: UTF8.self).contains("ody"))
    }

    @Test("A form sent twice acts once, and a form that was refused can be corrected and sent again")
    func forms() throws {
        let (door, _) = try house()
        let visitor = try door.signedIn("ana@acme.example")
        let hidden = try visitor.hidden(of: "/organization") + [("form_nonce", "n-1")]
        let once = Dictionary(hidden) { first, _ in first }.map { ($0.key, $0.value) }
        #expect(
            try visitor.send(.post, "/organization/workspaces", form: [("workspace_name", "")] + once).status == 422)
        let (first, second) = (
            try visitor.send(.post, "/organization/workspaces", form: [("workspace_name", "A")] + once),
            try visitor.send(.post, "/organization/workspaces", form: [("workspace_name", "A")] + once)
        )
        #expect(first.status == 303 && second.status == 303 && second.headers["idempotent-replayed"] == "true")
        #expect(try door.count("SELECT COUNT(*) AS n FROM workspaces WHERE name = 'A'") == 1)
    }
}

@Suite(.timeLimit(.minutes(15))) struct Organizations {
    @Test("X-Org-ID picks an organization; one that is not one's own is 404, none where there are several 400")
    func header() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        try door.person("eve@evil.example", in: "Evil Corp")
        let key = try door.key()
        func status(_ headers: Headers) throws -> Int {
            var headers = headers
            headers.add("authorization", "Bearer \(key)")
            return try Visitor(door).get("/api/v1/organization", headers: headers).status.code
        }
        #expect(try status([:]) == 200 && status(["x-org-id": door.organization().text]) == 200)
        #expect(
            try status(["x-org-id": door.organization("Evil Corp").text]) == 404 && status(["x-org-id": "x"]) == 400)
        try door.database.execute(
            """
            INSERT INTO memberships (organization_id, user_id, role, created_at)
            SELECT \(door.organization("Evil Corp")), id, 'member', created_at FROM users WHERE email = 'ana@acme.example'
            """)
        let visitor = try door.signedIn("ana@acme.example")
        let token = try visitor.token()
        func ask(_ headers: Headers) throws -> Response {
            var headers = headers
            headers["x-csrf-token"] = token
            return try visitor.get("/api/v1/organization", headers: headers)
        }
        let open = try ask([:])
        #expect(open.status == 400 && open.text.contains("organization_required"))
        #expect(try ask(["x-org-id": door.organization("Evil Corp").text]).text.contains("Evil Corp"))
        #expect(
            try visitor.submit(
                "/account", [("organization_id", door.organization("Evil Corp").text)], to: "/organization/switch"
            ).status == 303)
        #expect(try visitor.get("/organization").text.contains("eve@evil.example"))
        #expect(try visitor.submit("/account", [("organization_name", "Mine")], to: "/organization/name").status == 403)
    }

    @Test("One credential, once: two are 400, an unknown one 401, and it is not told why")
    func credentials() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let key = try door.key()
        func status(_ headers: [(String, String)]) throws -> Int {
            var all = Headers()
            for (name, value) in headers { all.add(name, value) }
            return try Visitor(door).get("/api/v1/organization", headers: all).status.code
        }
        #expect(try status([("authorization", "bearer \(key)")]) == 200 && status([("x-api-key", key)]) == 200)
        #expect(
            try status([("authorization", "Bearer \(key)"), ("x-api-key", key)]) == 400
                && status([("x-api-key", key), ("x-api-key", key)]) == 400)
        for wrong in [
            "", "Bearer", "Bearer ", "Basic \(key)", "Bearer \(key)x", "Bearer \(key) x", "Bearer sk_", "\(key)",
            "Bearer \0",
        ] {
            #expect(try status([("authorization", wrong)]) == 401, "\(wrong)")
        }
    }

    @Test("The organization and its workspaces read the same on the page and in JSON, and change under If-Match")
    func twins() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let (visitor, headers): (Visitor, Headers) = (
            try door.signedIn("ana@acme.example"), ["x-api-key": try door.key()]
        )
        let made = try Visitor(door).send(.post, "/api/v1/workspaces", json: #"{"name":"<Lab>"}"#, headers: headers)
        let path = try #require(made.headers["location"])
        #expect(made.status == 201 && made.headers["etag"] == "\"1\"")
        #expect(try visitor.get("/organization").text.contains("&lt;Lab&gt;"))
        #expect(try Visitor(door).get(path, headers: headers).text == made.text)
        var known = headers
        known["if-none-match"] = "\"1\""
        #expect(try Visitor(door).get(path, headers: known).status == 304)
        var matching = headers
        matching["if-match"] = "\"1\""
        #expect(
            try Visitor(door).send(.patch, path, json: #"{"name":"Lab"}"#, headers: matching).headers["etag"] == "\"2\""
        )
        #expect(try Visitor(door).send(.patch, path, json: #"{"name":"Late"}"#, headers: matching).status == 412)
        let taken = try Visitor(door).send(.post, "/api/v1/workspaces", json: #"{"name":"LAB"}"#, headers: headers)
        #expect(taken.status == 409 && taken.text.contains("name_taken") && taken.text.contains(#""pointer":"/name""#))
        #expect(
            try visitor.submit("/organization", [("workspace_name", "lab")], to: "/organization/workspaces").status
                == 409)
        #expect(
            try Visitor(door).send(.patch, "/api/v1/organization", json: #"{"name":"New","x":1}"#, headers: headers)
                .text.contains("/x"))
        #expect(
            try Visitor(door).send(.patch, "/api/v1/organization", json: #"{"name":"New"}"#, headers: headers).text
                .contains("\"New\""))
        #expect(try visitor.get("/organization").text.contains("New"))
        let actions = try door.database.rows("SELECT action FROM audit_events ORDER BY id").map {
            try $0.get("action", as: String.self)
        }
        #expect(
            Set(actions).isSuperset(of: [
                "organization.created", "organization.renamed", "workspace.created", "workspace.renamed",
            ]))
    }

    @Test("Workspaces are listed part by part, each once, whatever is added meanwhile")
    func listing() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let headers: Headers = ["x-api-key": try door.key()]
        func add(_ name: String) throws {
            door.clock.pass(.microseconds(1))
            let answer = try Visitor(door).send(
                .post, "/api/v1/workspaces", json: "{\"name\":\"\(name)\"}", headers: headers)
            #expect(answer.status == 201)
        }
        for name in ["A", "B", "C", "D"] { try add(name) }
        var (names, next): ([String], String?) = ([], "/api/v1/workspaces?limit=2")
        while let target = next {
            let answer = try Visitor(door).get(target, headers: headers)
            let list = try JSON(parsing: Array(answer.text.utf8))
            names += (list["data"]?.elements ?? []).compactMap { $0["name"]?.text }
            next = list["next_cursor"]?.text.map { "/api/v1/workspaces?limit=2&cursor=\($0)" }
            #expect((answer.headers["link"] != nil) == (next != nil))
            if names.count == 2 { try add("E") }
        }
        #expect(names == ["General", "A", "B", "C", "D", "E"])
        for query in ["limit=0", "limit=201", "limit=x", "cursor=x", "x=1"] {
            #expect(try Visitor(door).get("/api/v1/workspaces?\(query)", headers: headers).status == 422)
        }
    }

    @Test("Of sixteen changes of one version at once exactly one happens")
    func lostUpdate() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        var headers: Headers = ["x-api-key": try door.key()]
        let path = try #require(
            try Visitor(door).send(.post, "/api/v1/workspaces", json: #"{"name":"A"}"#, headers: headers).headers[
                "location"])
        headers["if-match"] = "\"1\""
        for (target, start) in [(path, "1"), ("/api/v1/organization", "1")] {
            headers["if-match"] = "\"\(start)\""
            let sent = headers
            let statuses = try inThreads(16) { number in
                try Visitor(door).send(.patch, target, json: #"{"name":"N\#(number)"}"#, headers: sent).status.code
            }
            #expect(
                statuses.count { $0 == 200 } == 1 && statuses.allSatisfy { [200, 412, 503].contains($0) },
                "\(target) \(statuses)")
        }
    }

    @Test("While the database is away pages and scripts are told so, with when to come again")
    func away() throws {
        let here = try FrontDoor()
        try here.person("ana@acme.example")
        let door = try FrontDoor(["HUB_DATABASE_URL": "mysql://nobody@localhost/nothing?socket=/nowhere/mariadb.sock"])
        let visitor = Visitor(door)
        visitor.cookies = try here.signedIn("ana@acme.example").cookies
        let page = try visitor.get("/organization")
        #expect(page.status == 503 && page.headers["retry-after"] == "5" && page.text.contains("<html"))
        #expect(page.headers["content-security-policy"] != nil && page.text.contains("0123456789abcdef"))
        let script = try Visitor(door).get("/api/v1/organization", headers: ["x-api-key": try here.key()])
        #expect(
            script.status == 503 && script.headers["retry-after"] == "2" && script.text.contains("database_unavailable")
        )
        #expect(try Visitor(door).get("/health/live").status == 200 && Visitor(door).get("/health/ready").status == 503)
        for answer in [page, script] { #expect(!answer.text.contains("nowhere") && !answer.text.contains("nobody")) }
    }

    @Test("What goes wrong inside is told by its incident's number alone")
    func mute() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let (visitor, key) = (try door.signedIn("ana@acme.example"), try door.key())
        try door.database.execute("RENAME TABLE workspaces TO elsewhere")
        for answer in [
            try visitor.get("/organization"),
            try Visitor(door).get("/api/v1/workspaces", headers: ["x-api-key": key]),
        ] {
            #expect(answer.status == 500 && answer.text.contains("0123456789abcdef"))
            #expect(
                !answer.text.contains("elsewhere") && !answer.text.contains("doesn") && !answer.text.contains("SELECT"))
        }
    }
}

import AdminShell
import CipherKit
import Domain
import HTTPKit
import LogKit
import Testing
import ThreadKit
import TimeKit

@testable import Accounts

@Suite struct Throttling {
    private let throttle = Throttle.account
    private let then = Timestamp(seconds: 1_000_000)

    @Test("Five failures are free, then the wait doubles to a quarter of an hour and never to a lock-out")
    func doubling() {
        let waits = (0...20).map { throttle.wait(failures: $0, lastFailedAt: then, now: then).components.seconds }
        #expect(waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900, 900])
        #expect(throttle.wait(failures: .max, lastFailedAt: then, now: then) == .minutes(15))
    }

    @Test("The wait runs down, and a day without a failure forgets")
    func running() {
        #expect(throttle.wait(failures: 8, lastFailedAt: then, now: then + .seconds(5)) == .seconds(3))
        #expect(throttle.wait(failures: 8, lastFailedAt: then, now: then + .seconds(8)) == .zero)
        #expect(throttle.wait(failures: 99, lastFailedAt: then, now: then + .hours(24)) == .zero)
        #expect(throttle.wait(failures: 8, lastFailedAt: then, now: then - .seconds(60)) > .zero)
    }
}

@Suite struct NewPasswords {
    @Test(
        "Good pass phrases are taken",
        arguments: [
            "correct horse battery staple", "the quick brown fox jumps", "Meine Katze schläft im Hub",
            "my test user likes tea", "三匹の子豚は家を建てました、それから", "9f8b2c7e1d4a6053", "Xk#9vQ!2mLp$7wRz",
            "rainy tuesday 2024 in Porto", "master of puppets is loud", "passwords are tiresome things",
            "Zürich–Genève à 8h, voie 7",
        ])
    func good(password: String) {
        #expect(PasswordRules.objection(to: password, context: ["Acme Shop", "Ana Kovač", "ana@acme.example"]) == nil)
    }

    @Test(
        "What guessers try first is refused",
        arguments: [
            "", "short", "fourteen chars", "aaaaaaaaaaaaaaaaaa", "abababababababab", "123451234512345",
            "12345678901234567", "abcdefghijklmnopq", "zyxwvutsrqponmlkj", "qwertyuiopasdfgh",
            "passwordpassword", "Password123456789", "PASSWORD PASSWORD", "admin admin admin 2025",
            "Ana Kovač Acme Shop", "ana@acme.example1", "acmeacmeacmeacme", "letmein-letmein-1",
            String(repeating: "ab c", count: 40),
        ])
    func bad(password: String) {
        #expect(PasswordRules.objection(to: password, context: ["Acme Shop", "Ana Kovač", "ana@acme.example"]) != nil)
    }
}

@Suite struct ComingBack {
    @Test(
        "After signing in one never leaves the site",
        arguments: [
            "", "x", "http://evil.example", "https://evil.example/", "//evil.example", "///evil.example",
            "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example",
            "/\t/evil.example", "\t//evil.example", " //evil.example", "/ /evil.example", "/\n/evil.example",
            "/\r\n/evil.example", "/\0/evil.example", "/\u{b}/evil.example", "/\u{85}/evil.example",
            "/\u{2028}/evil.example",
            "/\u{a0}/evil.example", "/\u{3000}/evil.example", "/a//evil.example", "/./evil.example", "/../evil.example",
            "/.//evil.example", "/%2f/evil.example", "/%2Fevil.example", "/%2e%2e//evil.example",
            "/%2e%2e/evil.example",
            "/%00", "/%", "/%0", "/%zz", "/a/..//evil", "javascript:alert(1)", "JavaScript:alert(1)",
            "data:text/html,x", "http:evil.example", "https:/evil.example", "/／evil.example", "/\u{200b}/evil",
            "/a\r\nSet-Cookie:x=1", "/a\u{7f}",
            "/" + String(repeating: "a", count: 2_001), "?next=//evil", "#//evil", ".evil.example", "@evil.example",
            ":80/evil",
        ])
    func refused(next: String) {
        #expect(SignInPage.next(next, mount: "") == "/" && SignInPage.next(next, mount: "/hub") == "/")
    }

    @Test(
        "A path of ours is kept as it came",
        arguments: [
            "/", "/connections", "/connections?status=error&x=//y", "/a/b/", "/%5cevil.example", "/a%20b",
            "/a?next=https://x", "/audit#line-4", "/a@b", "/.well-known",
        ])
    func kept(next: String) {
        #expect(SignInPage.next(next, mount: "/hub") == next)
    }
}

@Suite struct Reading {
    @Test("An address is lower-cased and has one @ with something on both sides")
    func addresses() {
        #expect(Accounts.email("Ana@Acme.Example") == "ana@acme.example" && Accounts.email("a+b@c") == "a+b@c")
        for text in [
            "", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a\0@b", "a@b\u{7f}",
            String(repeating: "a", count: 250) + "@bcde",
        ] { #expect(Accounts.email(text) == nil, "\(text)") }
    }

    @Test("Every route is read from the path that it prints, and says who may use it")
    func routes() throws {
        for route in AccountRoute.samples {
            #expect(AccountRoute(try #require(Path(route.path))) == route && !route.access.methods.isEmpty)
        }
        #expect(AccountRoute(try #require(Path("/nothing"))) == nil)
    }

    @Test("A browser is named in words, whatever it says of itself")
    func devices() {
        #expect(
            Device.name(of: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
                == "Firefox on Linux")
        #expect(
            Device.name(of: "curl/8.1") == "curl" && Device.name(of: "<script>") == "Unknown browser"
                && Device.name(of: "") == "Unknown browser")
    }
}

@Suite struct HashWork {
    private struct Busy: Error {}

    @Test("An unknown person costs the same hash work as a known one, and no more hashes are made than are let")
    func same() throws {
        let work = Lock(0)
        let parameters = try #require(Password.Parameters(logN: 10, blockSize: 8, parallelism: 1))
        let passwords = Passwords(parameters: parameters) { body in
            work.withLock { $0 += 1 }
            try body()
        }
        let hash = try passwords.hash(Secret("right"))
        #expect(
            try passwords.verify(Secret("right"), against: hash) && !passwords.verify(Secret("wrong"), against: hash))
        #expect(try !passwords.verify(Secret("right"), against: nil) && work.withLock { $0 } == 4)
        let busy = Passwords(parameters: parameters) { _ in throw Busy() }
        #expect(throws: Busy.self) { try busy.verify(Secret("right"), against: hash) }
        #expect(throws: Busy.self) { try busy.hash(Secret("right")) }
    }
}

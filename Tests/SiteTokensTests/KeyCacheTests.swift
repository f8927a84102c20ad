import CipherKit
import Testing
import TimeKit

@testable import SiteTokens

@Suite("Keys at an address")
struct KeyCacheTests {
    private let start = Timestamp(seconds: 1_800_000_000)
    private let keys = try? JSONWebKeySet(parsing: Array("{\"keys\":[]}".utf8), takesSecrets: false)

    private func fetched(for freshness: Duration = .minutes(10)) throws -> KeyCache {
        var cache = KeyCache()
        cache.take(.keys(try #require(keys), etag: "\"1\"", for: freshness), at: start)
        return cache
    }

    @Test("Nothing is known at first, and the issuer is asked; after a failure not again for a while")
    func first() {
        var cache = KeyCache()
        #expect(cache.order(knowing: false, at: start) == .fetch && cache.keys(at: start) == nil)
        cache.take(.failed, at: start)
        #expect(cache.order(knowing: false, at: start + .seconds(14)) == .giveUp)
        #expect(cache.order(knowing: false, at: start + .seconds(15)) == .fetch)
    }

    @Test("Fresh keys are used, older ones too while new ones are fetched")
    func fresh() throws {
        var cache = try fetched()
        #expect(cache.order(knowing: true, at: start + .seconds(599)) == .use)
        #expect(
            cache.order(knowing: true, at: start + .seconds(600)) == .fetch
                && cache.keys(at: start + .seconds(600)) != nil)
        cache.take(.unchanged(for: .minutes(5)), at: start + .seconds(600))
        #expect(cache.etag == "\"1\"" && cache.order(knowing: true, at: start + .seconds(899)) == .use)
        #expect(cache.order(knowing: true, at: start + .seconds(900)) == .fetch)
    }

    @Test("A key that is not known makes one call a minute at most, however many tokens name one")
    func unknown() throws {
        let cache = try fetched()
        #expect(cache.order(knowing: false, at: start + .seconds(59)) == .use)
        #expect(cache.order(knowing: false, at: start + .seconds(60)) == .fetch)
        var again = cache
        again.take(.unchanged(for: .minutes(10)), at: start + .seconds(60))
        #expect(again.order(knowing: false, at: start + .seconds(119)) == .use)
    }

    @Test("While the issuer is away its keys are good for a day, and it is asked every quarter of a minute")
    func away() throws {
        var cache = try fetched()
        cache.take(.failed, at: start + .minutes(10))
        #expect(cache.order(knowing: true, at: start + .minutes(10) + .seconds(14)) == .use)
        #expect(cache.order(knowing: true, at: start + .minutes(10) + .seconds(15)) == .fetch)
        #expect(cache.keys(at: start + .hours(24)) != nil && cache.keys(at: start + .hours(24) + .seconds(1)) == nil)
        cache.take(.failed, at: start + .hours(25))
        #expect(cache.order(knowing: true, at: start + .hours(25) + .seconds(1)) == .giveUp)
    }

    @Test("A clock that was set back makes the issuer be asked, not trusted for longer")
    func clock() throws {
        let cache = try fetched(for: .hours(1))
        #expect(cache.order(knowing: true, at: start - .hours(2)) == .fetch)
        #expect(cache.order(knowing: false, at: start - .seconds(1)) == .fetch)
    }

    @Test(
        "What the issuer says of freshness counts within a minute and an hour",
        arguments: [
            ([], 600), (["public, max-age=120"], 120), (["max-age=5"], 60), (["max-age=0"], 60),
            (["max-age=999999999999"], 3_600),
            (["max-age=99999999999999999999999"], 600), (["no-store"], 60), (["No-Cache"], 60),
            (["private", "MAX-AGE=\"300\""], 300),
            (["max-age=-5"], 60), (["max-age="], 600),
        ] as [([String], Int)])
    func freshness(fields: [String], seconds: Int) {
        #expect(KeyCache.freshness(fields) == .seconds(seconds))
    }

    @Test("Keys lie in a file or at an https address")
    func places() throws {
        #expect(try KeyPlace("/etc/hub/jwks.json") == .file(path: "/etc/hub/jwks.json"))
        #expect(try KeyPlace("https://site.example/jwks") == .address(url: "https://site.example/jwks"))
        for wrong in ["http://site.example/jwks", "ftp://x.example/", "https://", "https://u:p@x.example/"] {
            #expect(throws: KeyPlaceError.self, "\(wrong)") { try KeyPlace(wrong) }
        }
    }
}

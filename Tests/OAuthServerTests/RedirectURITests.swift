import Testing

@testable import OAuthServer

/// Where an app may have browsers sent (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).
@Suite struct RedirectURITests {
    @Test(
        "An address that can be compared is registered as it is written",
        arguments: [
            "https://app.example/callback", "https://app.example", "https://app.example:8443/a/b?tenant=1",
            "https://xn--mnchen-3ya.example/zur%C3%BCck", "http://127.0.0.1/callback", "http://127.0.0.1:8080/",
            "http://[::1]:3000/cb", "com.example.app:/callback", "com.example.app://done", "https://[2001:db8::1]/cb",
            "https://192.0.2.7/cb",
        ])
    func accepted(text: String) throws {
        let uri = try RedirectURI(text)
        #expect(uri.text == text && uri.matches(text))
    }

    @Test(
        "An address that is no safe place to send a browser to is refused, and the reason named",
        arguments: [
            ("", RedirectURI.Refusal.relative), ("/callback", .relative), ("app.example/callback", .relative),
            ("//app.example/callback", .relative), ("https://app.example/cb#part", .fragment),
            ("https://app.example/cb#", .fragment), ("http://app.example/cb", .plain),
            ("http://localhost/cb", .localhost), ("http://127.0.0.1.app.example/cb", .plain),
            ("http://127.0.0.2/cb", .plain), ("https://user@app.example/cb", .user),
            ("https://app.example@evil.example/cb", .user), ("https:///cb", .host), ("https://", .host),
            ("https://*.app.example/cb", .host), ("https://App.example/cb", .host),
            ("HTTPS://app.example/cb", .relative),
            ("https://app..example/cb", .host), ("https://app.example:0/cb", .port),
            ("https://app.example:99999/cb", .port), ("https://app.example:/cb", .port),
            ("https://app.example/a/../cb", .dots), ("https://app.example/a/%2e%2E/cb", .dots),
            ("https://app.example/cb with space", .malformed), ("https://app.example/cb\n", .malformed),
            ("https://app.example/%zz", .malformed), ("https://app.example/zurück", .malformed),
            ("https://app.example\\@evil.example/", .malformed), ("javascript:alert(1)", .scheme),
            ("data:text/html,x", .scheme), ("myapp:/callback", .scheme), ("com.example.app:", .scheme),
            ("http:/evil.example/?x=://127.0.0.1/cb", .malformed), ("https:/x?y=://good.example/", .malformed),
            ("https:x", .malformed), ("https:x://good.example/", .malformed), ("http:", .malformed),
            ("https://app.example/" + String(repeating: "a", count: 2_000), .tooLong),
        ])
    func refused(text: String, refusal: RedirectURI.Refusal) {
        #expect(throws: refusal) { try RedirectURI(text) }
    }

    @Test(
        "authorization servers MUST utilize exact string matching (RFC 9700 §2.1)",
        arguments: [
            "https://app.example/callback/", "https://app.example/Callback", "https://APP.example/callback",
            "HTTPS://app.example/callback", "https://app.example:443/callback", "https://app.example/callback?x=1",
            "https://app.example/callback#", "https://app.example/%63allback", "https://app.example//callback",
            "https://app.example/./callback", "https://app.example/x/../callback", "http://app.example/callback",
            "https://app.example.evil.example/callback", "https://app.example@evil.example/callback",
            "https://evil.example/https://app.example/callback", "https://app.example/callbackx",
            "https://app.example/callbac", " https://app.example/callback", "https://app.example/callback ", "",
        ])
    func exact(sent: String) throws {
        #expect(try !RedirectURI("https://app.example/callback").matches(sent))
    }

    @Test(
        "The authorization server MUST allow any port to be specified for loopback IP redirect URIs (RFC 8252 §7.3)",
        arguments: [
            "http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:51004/cb", "http://127.0.0.1:65535/cb",
        ])
    func anyPort(sent: String) throws {
        #expect(try RedirectURI("http://127.0.0.1/cb").matches(sent))
        #expect(try RedirectURI("http://127.0.0.1:8080/cb").matches(sent))
    }

    @Test(
        "A port is the only thing in which a loopback address may differ",
        arguments: [
            "http://127.0.0.1:0/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:/cb", "http://127.0.0.1:80x/cb",
            "http://127.0.0.1:80@evil.example/cb", "http://127.0.0.1:8080/cb/", "http://127.0.0.1.evil.example/cb",
            "http://localhost:8080/cb", "http://[::1]:8080/cb", "https://127.0.0.1:8080/cb", "http://127.0.0.1:8080/CB",
            "http://127.0.0.1:8080", "http://127.0.0.1:-1/cb", "http://127.0.0.1:\u{661}/cb",
        ])
    func onlyPort(sent: String) throws {
        #expect(try !RedirectURI("http://127.0.0.1/cb").matches(sent))
    }

    @Test("Whom a person would be sent to is named by its host")
    func place() throws {
        #expect(try RedirectURI("https://app.example:8443/cb").place == "app.example")
        #expect(try RedirectURI("http://[::1]/cb").place == "this device")
        #expect(try RedirectURI("com.example.app:/cb").place == "com.example.app")
    }
}

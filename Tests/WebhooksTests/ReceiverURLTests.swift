import Testing

@testable import Webhooks

@Suite("What is shown of an address")
struct ReceiverURLTests {
    @Test(
        "It is where it leads and the first step of the path, unless that looks like a token: all else may be one",
        arguments: [
            ("https://example.com", "https://example.com/"), ("https://example.com/hook", "https://example.com/hook"),
            ("https://example.com/hook/", "https://example.com/hook"),
            ("https://hooks.zapier.com/hooks/catch/123456/abcdef", "https://hooks.zapier.com/hooks/***"),
            ("https://hooks.zapier.com/hooks/catch/3459743/oyhgzl1/", "https://hooks.zapier.com/hooks/***"),
            ("https://hook.eu1.make.com/uqjzkvbnwyhsdfgtrlmxcoaepi", "https://hook.eu1.make.com/***"),
            ("https://webhook.site/7f6d0b2e-5c1a-4e9b-8d3f-2a1b0c9d8e7f", "https://webhook.site/***"),
            ("https://example.com/hook?key=s3cr3t", "https://example.com/hook?***"),
            ("https://example.com?key=s3cr3t", "https://example.com/?***"),
            ("https://example.com/a/b?c=d&e=f", "https://example.com/a/***?***"),
            ("https://example.com:443/hook", "https://example.com:443/hook"),
            ("https://example.com:8443/a/b", "https://example.com:8443/a/***"),
            ("https://[2606:4700::1111]:443/hook/x", "https://[2606:4700::1111]:443/hook/***"),
            ("http://127.0.0.1:8080/hook", "http://127.0.0.1:8080/hook"),
        ])
    func shown(url: String, shown: String) throws {
        #expect(try ReceiverURL(url, allowsHTTP: true).shown == shown)
        #expect(ReceiverURL.masked(shown) == shown, "so what is stored may be masked again")
    }
}

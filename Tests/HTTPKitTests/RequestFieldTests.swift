import Testing

@testable import HTTPKit

/// Header fields that say something about the request itself.
@Suite struct RequestFields {
    private func request(_ name: String, _ values: [String]) throws -> Request {
        var headers = Headers()
        for value in values { headers.add(name, value) }
        return Request(.post, path: try #require(Path("/")), headers: headers)
    }

    @Test(
        "An Idempotency-Key is a structured string or the same without quotes",
        arguments: [
            ("\"order-4711\"", "order-4711"), ("order-4711", "order-4711"), ("\"a b\"", "a b"),
            (#""a\"b\\c""#, #"a"b\c"#),
            ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
            (String(repeating: "k", count: 255), String(repeating: "k", count: 255)),
        ])
    func keys(field: String, key: String) throws {
        #expect(try request("idempotency-key", [field]).idempotencyKey() == key)
    }

    @Test(
        "What is no key is refused, and so are two",
        arguments: [
            [""], ["\"\""], ["\"open"], ["open\""], ["a b"], ["é"], ["\"é\""], [#""a\x""#], ["a\u{7f}"], ["a", "a"],
            [String(repeating: "k", count: 256)], ["\"a\" x"], ["\u{1}"],
        ])
    func noKeys(fields: [String]) throws {
        let request = try request("idempotency-key", fields)
        let problem = #expect(throws: Problem.self) { try request.idempotencyKey() }
        #expect(problem?.status == 400 && problem?.code == "invalid_idempotency_key")
    }

    @Test("Without the field there is no key")
    func noField() throws {
        #expect(try request("x", []).idempotencyKey() == nil)
    }

    @Test(
        "A trace is taken from a well-formed traceparent alone",
        arguments: [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", nil),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", nil),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", nil),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", nil),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\n", nil), ("", nil), ("x", nil),
        ] as [(String, String?)])
    func traces(field: String, trace: String?) throws {
        #expect(try request("traceparent", [field]).traceID == trace)
    }
}

extension Request {
    /// The trace that this request is part of, for the log; nil when it says none that is one.
    ///
    /// > traceparent = version "-" trace-id "-" parent-id "-" trace-flags     W3C Trace Context §3.2
    public var traceID: String? {
        guard let field = headers["traceparent"], field.utf8.count == 55 else { return nil }
        let parts = field.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts.map(\.utf8.count) == [2, 32, 16, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy(Self.isLowercaseHex) }), parts[0] != "ff",
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        return String(parts[1])
    }

    private static func isLowercaseHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}

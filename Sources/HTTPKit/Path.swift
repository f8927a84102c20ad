/// The path of a request below the mount prefix, decoded once and taken apart.
///
/// Routes are told apart by ``pattern``: the segments joined by `/`, each UUID replaced by `:id`, so that a route reads
/// as it is written in a document: `connections/:id/test`.
///
/// An object, since each room that is asked whether a path is its own gets it.
public final class Path: Sendable {
    /// The decoded segments; a trailing slash is dropped.
    public let segments: [String]
    /// The segments joined, each UUID replaced by `:id`.
    public let pattern: String
    /// The UUIDs of the path, in order, in lower case.
    public let identifiers: [String]
    /// What follows an address whose requests are passed on, as it came; nil anywhere else.
    public let rest: String?

    /// Takes a raw path apart; nil when an escape is broken, a segment is empty, `.` or `..`, or hides a slash or NUL.
    ///
    /// A segment that hides a slash is refused rather than passed on, since no route of ours has one. Every request pays
    /// for this, so it walks the bytes once.
    ///
    /// - Parameter passed: an address below which requests are passed on; what follows it is ``rest``.
    public convenience init?(_ raw: String, passing passed: PassThrough? = nil) {
        self.init(raw.utf8.span, passing: passed)
    }

    /// Takes a raw path apart that is nobody's string yet.
    package init?(_ raw: Span<UInt8>, passing passed: PassThrough? = nil) {
        let end = passed?.end(in: raw)
        let own = raw.extracting(..<(end ?? raw.count))
        guard let parts = Self.segments(of: own) else { return nil }
        rest = if let end { Self.text(raw.extracting(end...)) } else { nil }
        segments = parts.segments
        if parts.isVerbatim {
            let isClosed = own.count > 1 && own[own.count - 1] == 0x2f
            pattern = Self.text(own.extracting(1..<(isClosed ? own.count - 1 : own.count)))
            identifiers = []
            return
        }
        var identifiers: [String] = []
        var pattern = ""
        for segment in parts.segments {
            if !pattern.isEmpty { pattern += "/" }
            if Self.isIdentifier(segment) {
                identifiers.append(segment.lowercased())
                pattern += ":id"
            } else {
                // A segment that says `:id` itself must not be taken for an id that is there.
                pattern += segment == ":id" ? "%3Aid" : segment
            }
        }
        self.pattern = pattern
        self.identifiers = identifiers
    }

    /// The decoded segments of a path that begins with a slash, and whether they joined are its pattern as they came.
    private static func segments(of raw: Span<UInt8>) -> (segments: [String], isVerbatim: Bool)? {
        guard !raw.isEmpty, raw[0] == 0x2f else { return nil }
        var segments: [String] = []
        segments.reserveCapacity(6)
        var isVerbatim = true
        var start = 1
        while start < raw.count {
            var end = start
            var isPlain = raw[start] != 0x2e
            while end < raw.count, raw[end] != 0x2f {
                if raw[end] == 0x25 || raw[end] == 0 { isPlain = false }
                end += 1
            }
            // What may be an id, an escape or a step that says `:id` itself.
            if !isPlain || end - start == 36 || raw[start] == 0x3a { isVerbatim = false }
            guard start != end else { return nil }
            let text = Self.text(raw.extracting(start..<end))
            guard let segment = isPlain ? text : decoded(text) else { return nil }
            segments.append(segment)
            // After the last segment one slash may stand.
            start = end + 1
        }
        return (segments, isVerbatim)
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    private static func decoded(_ raw: String) -> String? {
        guard let segment = Percent.decode(raw), segment != ".", segment != "..", !segment.utf8.contains(0x2f) else {
            return nil
        }
        return segment
    }

    /// The path as it is written, what is passed on included.
    public var text: String {
        var text = segments.isEmpty ? "/" : ""
        for segment in segments {
            text += "/"
            text += Percent.isPlain(segment) ? segment : Percent.encodeSegment(segment)
        }
        return text + (rest ?? "")
    }

    /// The segment at a place, empty beyond the end.
    public subscript(index: Int) -> String {
        segments.indices.contains(index) ? segments[index] : ""
    }

    /// Whether a text has the shape of a UUID (RFC 9562 §4).
    private static func isIdentifier(_ text: String) -> Bool {
        let bytes = text.utf8
        guard bytes.count == 36 else { return false }
        for (index, byte) in bytes.enumerated() {
            switch (index, byte) {
            case (8, 0x2d), (13, 0x2d), (18, 0x2d), (23, 0x2d): continue
            case (8, _), (13, _), (18, _), (23, _): return false
            case (_, 0x30...0x39), (_, 0x61...0x66), (_, 0x41...0x46): continue
            default: return false
            }
        }
        return true
    }
}

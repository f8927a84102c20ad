/// The path of a request below the mount prefix, decoded once and taken apart.
///
/// Routes are told apart by ``pattern``: the segments joined by `/`, each UUID replaced by `:id`, so that a route reads
/// as it is written in a document: `connections/:id/test`.
public struct Path: Sendable, Hashable {
    /// The decoded segments; a trailing slash is dropped.
    public let segments: [String]
    /// The segments joined, each UUID replaced by `:id`.
    public let pattern: String
    /// The UUIDs of the path, in order, in lower case.
    public let identifiers: [String]

    /// Takes a raw path apart; nil when an escape is broken, a segment is empty, `.` or `..`, or hides a slash or NUL.
    ///
    /// A segment that hides a slash is refused rather than passed on, since no route of ours has one.
    public init?(_ raw: some StringProtocol) {
        var segments: [String] = []
        for part in raw.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let segment = Percent.decode(part), !segment.contains("/"), segment != ".", segment != ".." else {
                return nil
            }
            segments.append(segment)
        }
        if segments.last == "" { segments.removeLast() }
        guard raw.hasPrefix("/"), !segments.contains("") else { return nil }
        self.init(segments: segments)
    }

    private init(segments: [String]) {
        self.segments = segments
        var identifiers: [String] = []
        pattern =
            segments.map { segment in
                // A segment that says `:id` itself must not be taken for an id that is there.
                guard Self.isIdentifier(segment) else { return segment == ":id" ? "%3Aid" : segment }
                identifiers.append(segment.lowercased())
                return ":id"
            }.joined(separator: "/")
        self.identifiers = identifiers
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

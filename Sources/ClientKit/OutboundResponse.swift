/// The answer to an outbound call.
public struct OutboundResponse: Sendable {
    /// The status code, 100 to 999.
    public let status: Int
    /// The header fields.
    public let headers: Headers
    /// The body as it came, never unpacked.
    public let body: [UInt8]
    /// How long each stage took.
    public let timing: Timing
    /// The address and port that answered, `203.0.113.5:443` or `[2001:db8::5]:443`. For logs, never for tenants.
    public let peer: String

    /// Whether the status is one of success, 200 to 299.
    public var isSuccess: Bool { (200...299).contains(status) }

    /// Header fields in the order they came; names are compared without regard to case.
    public struct Headers: Sendable, Sequence {
        private var fields: [(name: String, value: String)] = []

        init() {}

        /// The value of the first field of this name.
        public subscript(_ name: String) -> String? {
            all(name).first
        }

        /// The values of all fields of this name, in order.
        public func all(_ name: String) -> [String] {
            let sought = name.lowercased()
            return fields.lazy.filter { $0.name.lowercased() == sought }.map(\.value)
        }

        /// Every field in order.
        public func makeIterator() -> IndexingIterator<[(name: String, value: String)]> { fields.makeIterator() }

        /// Takes a line of the header as it came.
        ///
        /// A line that begins with white space continues the field before it (RFC 9112 §5.2); a status line begins anew, as
        /// after `100 Continue`.
        mutating func take(_ line: some Collection<UInt8>) {
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix("HTTP/") {
                fields = []
            } else if text.first == " " || text.first == "\t", let last = fields.popLast() {
                fields.append((last.name, last.value + " " + text.trimmed))
            } else if let colon = text.firstIndex(of: ":") {
                fields.append((text[..<colon].trimmed, text[text.index(after: colon)...].trimmed))
            }
        }
    }

    /// How long each stage of a call took; zero where a stage was not needed, as on a connection used again.
    public struct Timing: Sendable, Equatable {
        /// Finding the address of the name.
        public let dns: Duration
        /// Opening the connection.
        public let connect: Duration
        /// Making it secure.
        public let tls: Duration
        /// Waiting for the first byte of the answer, once the request could be sent.
        public let firstByte: Duration
        /// The whole call, its redirects too.
        public let total: Duration
    }
}

extension StringProtocol {
    /// The text without white space and line ends around it.
    fileprivate var trimmed: String {
        let spaces: Set<Unicode.Scalar> = [" ", "\t", "\r", "\n"]
        guard let first = unicodeScalars.firstIndex(where: { !spaces.contains($0) }),
            let last = unicodeScalars.lastIndex(where: { !spaces.contains($0) })
        else { return "" }
        return String(self[first...last])
    }
}

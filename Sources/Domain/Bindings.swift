import DatabaseKit

/// An id is a `BINARY(16)`.
extension Identifier: Bindable, Readable {
    /// Sixteen bytes.
    public var bound: SQLValue { .bytes(bytes) }

    /// From sixteen bytes.
    public init?(column: SQLValue) {
        guard case .bytes(let bytes) = column else { return nil }
        self.init(bytes: bytes)
    }
}

extension Role: Bindable, Readable {}

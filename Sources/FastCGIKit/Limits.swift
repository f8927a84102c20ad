import HTTPKit

/// What a gateway may send us; more is refused before it costs anything.
public struct Limits: Sendable {
    /// Bytes of all parameters together.
    public var parameterBytes = 65_536
    /// How many parameters.
    public var parameterCount = 200
    /// Bytes of one parameter.
    public var parameterLength = 16_384
    /// Bytes of the path and query together; more is 414.
    public var targetBytes = 8_192
    /// Bytes of a body; more is 413.
    public var bodyBytes = 1_048_576
    /// Below which address bodies are read while they are passed on, and paths stay as they came.
    public var passThrough: PassThrough?
    /// Bytes of a body that is passed on; more is 413.
    public var passedBodyBytes = 134_217_728
    /// The first step of addresses that take larger bodies than others; whoever answers there reads them itself.
    public var largeBodyPlace: String?
    /// Bytes of such a body; more is 413.
    public var largeBodyBytes = 26_214_400
    /// Bytes of a body that was not wanted, read and forgotten so that its connection can be kept; after more it is closed.
    public var skippedBytes = 67_108_864
    /// How long a connection may stay silent in the middle of a request, or idle between two, in seconds.
    ///
    /// Longer than nginx keeps an idle connection, so that nginx closes first: a connection that we close may be just
    /// taking the next request.
    public var silence = 30

    /// The defaults.
    public init() {}
}

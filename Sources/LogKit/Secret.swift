/// A value that cannot be printed, dumped or interpolated by accident.
///
/// Only ``reveal(_:)`` opens it, at the last moment, for one closure; the word can be searched for.
public struct Secret<Wrapped: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let wrapped: Wrapped

    /// Closes a value in.
    public init(_ wrapped: Wrapped) {
        self.wrapped = wrapped
    }

    /// Always the same word.
    public var description: String { "<secret>" }
    /// Always the same word.
    public var debugDescription: String { "<secret>" }
    /// A mirror without children, so that `dump` stays silent.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Lends the value to a closure.
    public func reveal<Result, Failure: Error>(_ use: (Wrapped) throws(Failure) -> Result) throws(Failure) -> Result {
        try use(wrapped)
    }
}

/// A value that is made when it is first asked for, by one thread while others wait, and kept.
public final class Once<Value: Sendable>: Sendable {
    private let kept = Lock<Value?>(nil)
    private let make: @Sendable () -> Value

    /// A value that `make` will make; it is called once at most.
    public init(_ make: @escaping @Sendable () -> Value) {
        self.make = make
    }

    /// The value.
    public var value: Value {
        kept.withLock { kept in
            if let kept { return kept }
            let made = make()
            kept = made
            return made
        }
    }
}

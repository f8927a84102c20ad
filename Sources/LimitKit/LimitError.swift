import Glibc

/// Why the counters of limits cannot be had.
///
/// It speaks of paths and the kernel's words only, so the whole of it may be shown to whoever starts the program.
public struct LimitError: Error, Equatable, CustomStringConvertible {
    /// What a caller can decide upon.
    public enum Code: Sendable {
        /// The kernel refused to open, size or map the file.
        case refused
    }

    /// The decision.
    public let code: Code
    /// One sentence for the person who starts the program.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// The kernel refused; `number` is `errno`, read by the caller on the very next line.
    static func kernel(_ what: String, _ number: Int32) -> LimitError {
        guard let text = unsafe strerror(number) else { return LimitError(.refused, "\(what): error \(number)") }
        return unsafe LimitError(.refused, "\(what): \(String(cString: text))")
    }

    /// Errors are equal when they ask for the same decision.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
}

import Glibc

/// Why something about processes, sockets or shared pages could not be done.
///
/// It speaks of paths, numbers and the kernel's words only, so the whole of it may be shown to whoever starts the program.
public struct ProcessError: Error, Equatable, CustomStringConvertible {
    /// What a caller can decide upon.
    public enum Code: Sendable {
        /// The setting does not name what it should.
        case badSetting
        /// Somebody else answers there already.
        case inUse
        /// No such socket, page or supervisor was handed over.
        case notInherited
        /// The supervisor that started this process is gone.
        case orphaned
        /// The kernel refused.
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
    static func kernel(_ what: String, _ number: Int32) -> ProcessError {
        ProcessError(.refused, "\(what): \(words(of: number))")
    }

    /// Errors are equal when they ask for the same decision.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
}

/// The kernel's words for an error number.
func words(of number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}

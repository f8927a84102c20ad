/// Why a spool cannot be used, in one sentence.
public struct SpoolError: Error, CustomStringConvertible {
    /// The sentence; it names a path and what the kernel said.
    public let description: String

    init(_ what: String, _ path: String, _ number: Int32) {
        description = "\(what) \(path): \(kernelWords(number))"
    }
}

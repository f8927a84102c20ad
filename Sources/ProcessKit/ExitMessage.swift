/// What a child says by the way it ends.
public enum ExitMessage: Hashable, Sendable, CustomStringConvertible {
    /// Status 0: it served its quota or was asked to leave.
    case served
    /// Status 3: it could not boot, and starting it again will not help before a person has acted.
    case couldNotBoot
    /// Any other status.
    case failed(status: Int32)
    /// A signal ended it.
    case killed(signal: Int32)

    /// The status that says ``couldNotBoot``.
    public static let couldNotBootStatus: Int32 = 3

    /// Reads what `waitpid` tells; the macros that do so in C are not visible here.
    ///
    /// The low seven bits hold the signal; when they are zero, the next eight hold the exit status.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7F
        let status = (waitStatus >> 8) & 0xFF
        switch (signal, status) {
        case (0, 0): self = .served
        case (0, Self.couldNotBootStatus): self = .couldNotBoot
        case (0, _): self = .failed(status: status)
        default: self = .killed(signal: signal)
        }
    }

    /// The cause in words, for the log.
    public var description: String {
        switch self {
        case .served: "left by itself"
        case .couldNotBoot: "could not boot"
        case .failed(let status): "ended with status \(status)"
        case .killed(signal: 9): "killed by signal 9, by hand or for lack of memory"
        case .killed(let signal): "killed by signal \(signal)"
        }
    }
}

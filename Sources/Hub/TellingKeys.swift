import CipherKit
import DatabaseKit
import Domain
import FoundationEssentials
import LimitKit
import LogKit
import Synchronization
import ThreadKit

#if canImport(Glibc)
import Glibc
#endif

/// Tells in the database which master keys this process has loaded, for as long as it lives.
final class TellingKeys: Sendable {
    private let holder: KeyHolder
    private let holders: KeyHolders
    private let log: Log
    private let turns = Atomic<Int>(0)
    private let wasTold = Atomic<Bool>(true)

    /// Every how many turns, one a second, it is said again.
    private static let interval = 10

    init(_ holder: KeyHolder, _ holders: KeyHolders, log: Log) {
        (self.holder, self.holders, self.log) = (holder, holders, log)
    }

    /// One turn of the errands: what could not be told is tried again in the next.
    func turn(isLast: Bool) {
        let turn = turns.wrappingAdd(1, ordering: .relaxed).oldValue
        guard isLast || turn % Self.interval == 0 || !wasTold.load(ordering: .relaxed) else { return }
        do {
            if isLast { return try holders.forget(holder.id) }
            try holders.note(holder)
            let me = holder.processID
            try holders.forgetGone(of: holder.host) { $0 == me || kill($0, 0) == 0 || errno == EPERM }
            wasTold.store(true, ordering: .relaxed)
        } catch {
            if wasTold.exchange(false, ordering: .relaxed) {
                log.warning(
                    "it cannot be told which master keys this process has",
                    ["error": .init(String(reflecting: error))])
            }
        }
    }
}

extension BuiltHouse {
    /// Says which master keys this process has before it begins its work, and on until its end.
    func startTellingKeys() throws -> Errands {
        let holder = KeyHolder(
            ring, host: limiter.host, hostName: ProcessInfo.processInfo.hostName, processID: getpid(), world: .real)
        let telling = TellingKeys(holder, KeyHolders(database), log: house.log)
        telling.turn(isLast: false)
        return try Errands(name: "key ring") { telling.turn(isLast: $0) }
    }
}

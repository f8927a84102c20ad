import DatabaseKit
import Domain
import Foundation
import HTTPKit
import LimitKit
import LogKit
import ProcessKit
import RoomFixture
import ThreadKit

@testable import APIKeys

/// A clock of the machine that moves when told.
final class MachineClock: Sendable {
    private let time = Lock<UInt64>(10_000_000)

    var now: MonotonicTime { MonotonicTime(milliseconds: time.withLock { $0 }) }
    func pass(_ duration: Duration) { time.withLock { $0 += UInt64(duration / .milliseconds(1)) } }
}

extension Gatekeeper {
    /// A gatekeeper whose counts lie in a file that is gone already.
    static func made(
        _ house: House, database: Database? = nil, memory: Memory? = nil, guesses: Int = standardGuesses,
        clock: MachineClock? = nil
    ) throws -> Gatekeeper {
        Gatekeeper(
            database ?? house.database, world: house.world, memory: try memory ?? .made(house),
            guessesPerMinute: guesses, log: Log(threshold: .error), clock: { clock?.now ?? .now() })
    }
}

extension Gatekeeper.Memory {
    static func made(_ house: House) throws -> Self {
        let path = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString)").path
        defer { for end in ["", ".lock"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let now = house.world.now
        return try .init(
            limiter: Limiter(file: path, subjects: 256, log: Log(threshold: .error), now: { now() }))
    }
}

extension APIKeys {
    /// The room in a house of its own, with a gatekeeper of its own.
    init(_ house: House, settings: Settings = Settings()) throws {
        self.init(
            database: house.database, world: house.world, settings: settings, gatekeeper: try .made(house))
    }

    /// Whose key a script sent; nil when it opens nothing.
    func principal(key: Secret<String>, remoteAddress: String) throws -> Principal? {
        do {
            return try gatekeeper.visit(key, from: remoteAddress, requestID: "test").principal
        } catch is Problem {
            return nil
        }
    }
}

import CipherKit
import Domain
import FoundationEssentials
import LogKit
import ThreadKit
import TimeKit

/// Keys in a file, read again when it has changed; looked at once a second at most.
final class KeyFile: SiteKeys {
    private static let interval = Duration.seconds(1)

    /// By what a changed file is known.
    private struct Stamp: Equatable {
        let modified: Date?
        let size: UInt64
        let inode: UInt64
    }

    private struct State {
        var keys: JSONWebKeySet
        var stamp: Stamp
        var looked: Timestamp
    }

    private let path: String
    private let world: World
    private let log: Log
    private let state: Lock<State>

    /// Reads the file for the first time.
    init(path: String, world: World, log: Log) throws(KeyPlaceError) {
        self.path = path
        self.world = world
        self.log = log
        let stamp = Self.stamp(of: path)
        state = Lock(State(keys: try Self.read(path), stamp: stamp, looked: world.now()))
    }

    func prepare() {}

    func key(for token: CompactJWS) throws -> VerificationKey? {
        state.withLock { state in
            refresh(&state)
            return state.keys.key(for: token)
        }
    }

    /// Takes up a changed file. One that cannot be read leaves the keys as they were: half a file is not a withdrawal,
    /// an empty set is.
    private func refresh(_ state: inout State) {
        let now = world.now()
        guard now < state.looked || now - state.looked >= Self.interval else { return }
        state.looked = now
        let stamp = Self.stamp(of: path)
        guard stamp != state.stamp else { return }
        state.stamp = stamp
        do throws(KeyPlaceError) {
            state.keys = try Self.read(path)
            log.info("the site's keys were read again", ["keys": .init(state.keys.keys.count)])
        } catch {
            log.error("the site's keys stay as they were", ["cause": .init(error.description)])
        }
    }

    /// Reads a file of keys.
    static func read(_ path: String) throws(KeyPlaceError) -> JSONWebKeySet {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw KeyPlaceError("names a file that cannot be read")
        }
        do throws(JSONWebKeySet.Failure) {
            return try JSONWebKeySet(parsing: [UInt8](data), takesSecrets: true)
        } catch {
            throw KeyPlaceError("names a file that cannot be used: \(error.description)")
        }
    }

    private static func stamp(of path: String) -> Stamp {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return Stamp(
            modified: attributes?[.modificationDate] as? Date, size: number(.size, attributes),
            inode: number(.systemFileNumber, attributes))
    }

    /// A number among a file's attributes, of whatever type; 0 when it is missing.
    static func number(_ name: FileAttributeKey, _ attributes: [FileAttributeKey: Any]?) -> UInt64 {
        attributes?[name].flatMap { UInt64("\($0)") } ?? 0
    }
}

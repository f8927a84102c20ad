import AdminShell
import HTTPKit

/// The rooms, and which of them a path's first step most likely leads to, so that a request need not ask them all.
struct Signposts: Sendable {
    /// Every room, in the order in which they are asked.
    let rooms: [RoomRoutes]
    private let likely: [String: [RoomRoutes]]

    /// Learns from one path of each route where they lead.
    init(_ rooms: [RoomRoutes]) {
        self.rooms = rooms
        var likely: [String: [RoomRoutes]] = [:]
        for room in rooms {
            let steps = room.samples.compactMap { Path($0.path) }.map(Self.step)
            for step in Set(steps) { likely[step, default: []].append(room) }
        }
        self.likely = likely
    }

    /// What tells paths apart: the first step, or of the API's the one behind its version.
    private static func step(_ path: Path) -> String { path[0] == "api" ? path[2] : path[0] }

    /// What a path means to the room that it belongs to; nil when it is nobody's.
    func match(_ path: Path) -> (any RouteMatch)? {
        let first = likely[Self.step(path)] ?? []
        for room in first {
            if let match = room.match(path) { return match }
        }
        // A route may have a second spelling, which no sample shows.
        for room in rooms where !first.contains(where: { $0 === room }) {
            if let match = room.match(path) { return match }
        }
        return nil
    }
}

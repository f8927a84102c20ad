import CipherKit
import DatabaseKit
import Domain
import FoundationEssentials

func keyringCreate(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let path = try Settings().text(.keyring)
    guard !FileManager.default.fileExists(atPath: path) else {
        print("There is a key ring at \(path) already.")
        return 0
    }
    let ring = try KeyRing.generate(path: path)
    print("Made the key ring \(path) with key \(ring.primary). Keep a copy of it apart from the database's backups.")
    return 0
}

/// Each master key, what it is for and how many rows name it; then each process that runs, and its primary key.
func keyringStatus(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let rotation = try rotation()
    let (ring, counts) = (rotation.ring, rotation.counts)
    for id in ring.ids {
        let state = id == ring.primary ? "primary" : id == ring.next ? "next" : "active"
        print("\(id)\t\(state)\t\(dataKeys(counts[id] ?? 0))")
    }
    for id in rotation.missing {
        print("\(id)\tmissing: some records cannot be read without it\t\(dataKeys(counts[id] ?? 0))")
    }
    for holder in rotation.holders {
        let others = holder.keys.filter { $0 != holder.primary }.map { " \($0)" }.joined()
        print("\(holder.name)\tloaded \(holder.primary)\(others)")
    }
    return rotation.missing.isEmpty ? 0 : 1
}

/// Takes one step of a rotation, and says what comes after it; taken again after it was cut short, it goes on.
func keyringRotate(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let now = try rotation()
    switch now.step {
    case .add:
        let id = try now.add()
        print("Added key \(id) to \(now.path). It wraps nothing yet.")
        printNext(now.path, "hub keyring rotate")
        return 0
    case .promote(let id):
        try now.promote(id)
        print("Key \(id) is the primary one in \(now.path) now.")
        return try rewrap(rotation())
    case .rewrap:
        return try rewrap(now)
    case .retire(let former):
        print(
            "Nothing names key \(former.map(\.description).joined(separator: ", ")) any more; until it is retired there is no other rotation."
        )
        printNext(now.path, "hub keyring retire")
        return 0
    }
}

func keyringRetire(_ arguments: inout Arguments) throws -> Int32 {
    try arguments.end()
    let now = try rotation()
    guard !now.ring.former.isEmpty else {
        print("There is no former key to retire.")
        return 0
    }
    for id in try now.retire() { print("Retired key \(id): no data key was wrapped by it.") }
    print("A backup of the database from before the rotation still wants the ring of that time: keep both or neither.")
    print("Next:\n  Copy \(now.path) to every other host, and have each host load it.")
    return 0
}

private func rotation() throws -> KeyRotation {
    let configuration = try Configuration(Settings())
    return try KeyRotation(path: configuration.keyringPath, configuration.database(), world: .real)
}

private func rewrap(_ rotation: KeyRotation) throws -> Int32 {
    let progress = try rotation.rewrap { complain("wrapped \($0.done - $0.failed) of \(dataKeys($0.total)) anew") }
    guard progress.failed == 0 else {
        throw CommandError(
            "\(dataKeys(progress.failed)) could not be unwrapped and stay as they are; hub keyring status says by which key."
        )
    }
    print("Wrapped \(dataKeys(progress.done)) by key \(rotation.ring.primary).")
    printNext(rotation.path, "hub keyring retire")
    return 0
}

private func printNext(_ path: String, _ command: String) {
    print(
        """
        Next:
          1. Copy \(path) to every other host, mode 0600.
          2. Have each host load it: systemctl restart hub, or SIGHUP to hub serve where HUB_KEYRING names the file itself.
          3. \(command)
        """)
}

private func dataKeys(_ count: Int) -> String { "\(count) data \(count == 1 ? "key" : "keys")" }

import CipherKit
import Domain

/// A subject as the label of a row: its kind and its id.
enum SubjectLabel {
    static func text(_ kind: Actor.Kind, _ id: [UInt8]) -> String { "\(kind.rawValue) \(Hex.encode(id))" }

    static func read(_ text: String) -> (kind: Actor.Kind, id: [UInt8])? {
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2, let kind = Actor.Kind(rawValue: parts[0]), let id = Hex.decode(parts[1]) else {
            return nil
        }
        return (kind, id)
    }
}

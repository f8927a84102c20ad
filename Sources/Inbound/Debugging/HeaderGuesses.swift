import CipherKit
import Domain
import HTTPKit

/// Guesses about header fields: written in another way, or elsewhere.
extension Debugger {
    /// What may be wrong with a field that is missing or cannot be read.
    var headerHints: [Examination.Hint] {
        var found: [Examination.Hint] = []
        if case .code(let recipe) = scheme { found += guesses(recipe) }
        if headers["x-hub-signature-256"] == nil, headers["x-hub-signature"] != nil {
            found.append(
                .init(
                    code: "old_header",
                    sentence:
                        "Only the old header X-Hub-Signature came, by SHA-1: it is not taken. The sender has to send X-Hub-Signature-256."
                ))
        }
        return found
    }

    private func guesses(_ recipe: Recipe) -> [Examination.Hint] {
        let written = headers[recipe.header] ?? ""
        let plain = written.hasPrefix(recipe.prefix) ? String(written.dropFirst(recipe.prefix.count)) : written
        if !written.isEmpty {
            let other: Recipe.Encoding = recipe.encoding == .hex ? .base64 : .hex
            if let bytes = recipe.encoding.decode(plain), isRight(bytes, recipe) {
                return [
                    .init(
                        code: "prefix_missing",
                        sentence: "The signature is right, but \(recipe.prefix) must stand before it.")
                ]
            }
            if let bytes = other.decode(plain), isRight(bytes, recipe) {
                return [
                    .init(
                        code: "other_encoding",
                        sentence:
                            "The signature is right, but written as \(other.words) instead of \(recipe.encoding.words)."
                    )
                ]
            }
        }
        return elsewhere(recipe)
    }

    /// The right signature in some other field.
    private func elsewhere(_ recipe: Recipe) -> [Examination.Hint] {
        var names: [String] = []
        headers.forEach { name, value in
            guard name != recipe.header, value.utf8.count <= 200 else { return }
            let plain = value.firstIndex(of: "=").map { String(value[value.index(after: $0)...]) }
            let spellings = [value, plain].compactMap(\.self).flatMap { text in
                Recipe.Encoding.allCases.compactMap { $0.decode(text) }
            }
            if spellings.contains(where: { isRight($0, recipe) }) { names.append(name) }
        }
        return names.prefix(1).map {
            .init(code: "other_header", sentence: "The right signature stands in the header \($0).")
        }
    }

    /// Whether these bytes, written as they should be, would be right.
    private func isRight(_ bytes: [UInt8], _ recipe: Recipe) -> Bool {
        let text = recipe.encoding == .hex ? Hex.encode(bytes) : Base64.encode(bytes)
        return isRight(setting: recipe.header, to: recipe.prefix + text, scheme)
    }

    /// Another digest, or other parts signed.
    var recipeHints: [Examination.Hint] {
        guard case .code(let recipe) = scheme else { return [] }
        for digest in Recipe.Digest.allCases where digest != recipe.digest {
            var other = recipe
            other.digest = digest
            if isRight(setting: nil, to: "", .code(other)) {
                return [
                    .init(
                        code: "other_digest",
                        sentence: "It is a signature by \(digest.rawValue), where \(recipe.digest.rawValue) is due.")
                ]
            }
        }
        guard recipe.content != [.body] else { return [] }
        var other = recipe
        other.content = [.body]
        guard isRight(setting: nil, to: "", .code(other)) else { return [] }
        return [
            .init(
                code: "body_alone",
                sentence: "It is a signature of the body alone: the sender left out what stands around it.")
        ]
    }
}

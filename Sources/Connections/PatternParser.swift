/// Reads the text of a ``Pattern``.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var place = 0
    private var depth = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// The whole pattern.
    mutating func whole() throws(PatternError) -> PatternNode {
        guard (1...1_000).contains(scalars.count) else { throw PatternError("it needs 1 to 1000 characters") }
        let node = try either()
        guard place == scalars.count else { throw PatternError("a ) has no ( before it") }
        return node
    }

    private var next: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        place += 1
        return true
    }

    private mutating func either() throws(PatternError) -> PatternNode {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .either(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" { parts.append(try quantified()) }
        return .sequence(parts)
    }

    private mutating func quantified() throws(PatternError) -> PatternNode {
        let part = try part()
        guard let (least, most) = try quantifier() else { return part }
        if let scalar = next, "?*+{".unicodeScalars.contains(scalar) {
            throw PatternError("one quantifier follows another")
        }
        return .repeated(part, least, most)
    }

    private mutating func quantifier() throws(PatternError) -> (Int, Int?)? {
        if take("?") { return (0, 1) }
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        guard take("{") else { return nil }
        let least = try count()
        guard take(",") else {
            guard take("}") else { throw PatternError("a { has no } after it") }
            return (least, least)
        }
        if take("}") { return (least, nil) }
        let most = try count()
        guard take("}") else { throw PatternError("a { has no } after it") }
        guard least <= most else { throw PatternError("{\(least),\(most)} ends before it begins") }
        return (least, most)
    }

    private mutating func count() throws(PatternError) -> Int {
        var number: Int?
        while let scalar = next, (0x30...0x39).contains(scalar.value) {
            place += 1
            number = (number ?? 0) * 10 + Int(scalar.value - 0x30)
            guard let so = number, so <= 1_000 else { throw PatternError("it repeats more than 1000 times") }
        }
        guard let number else { throw PatternError("a { is not followed by a number; write \\{ for the character") }
        return number
    }

    private mutating func part() throws(PatternError) -> PatternNode {
        guard let scalar = next else { throw PatternError("it ends too early") }
        place += 1
        switch scalar {
        case "(": return try group()
        case "[": return .one(try characters())
        case ".": return .one(.any)
        case "\\": return .one(try escaped())
        case "^", "$": throw PatternError("it stands for the whole value already: leave out ^ and $")
        case "?", "*", "+", "{": throw PatternError("\(scalar) has nothing before it to repeat")
        case "]", "}": throw PatternError("\(scalar) stands alone; write \\\(scalar) for the character")
        default: return .one(ScalarSet(ranges: [scalar.value...scalar.value]))
        }
    }

    private mutating func group() throws(PatternError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 20 else { throw PatternError("its groups are nested deeper than 20") }
        if take("?") {
            guard take(":") else { throw PatternError("groups beginning with (? are not taken, but for (?:") }
        }
        let inside = try either()
        guard take(")") else { throw PatternError("a ( has no ) after it") }
        return inside
    }

    private mutating func escaped() throws(PatternError) -> ScalarSet {
        guard let scalar = next else { throw PatternError("it ends with a backslash") }
        place += 1
        switch scalar {
        case "d": return .digits
        case "w": return .words
        case "s": return .spaces
        default:
            guard scalar.isASCII, !ScalarSet.words.contains(scalar) else {
                throw PatternError("\\\(scalar) is not taken")
            }
            return ScalarSet(ranges: [scalar.value...scalar.value])
        }
    }

    private mutating func characters() throws(PatternError) -> ScalarSet {
        var set = ScalarSet(isInverted: take("^"))
        while !take("]") {
            let low = try member()
            guard next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" else {
                set.ranges += low.ranges
                continue
            }
            place += 1
            let high = try member()
            guard let from = low.single, let to = high.single, from <= to else {
                throw PatternError("a range in [ ] ends before it begins")
            }
            set.ranges.append(from...to)
        }
        guard !set.ranges.isEmpty else { throw PatternError("a [ ] is empty") }
        return set
    }

    private mutating func member() throws(PatternError) -> ScalarSet {
        guard let scalar = next else { throw PatternError("a [ has no ] after it") }
        place += 1
        return scalar == "\\" ? try escaped() : ScalarSet(ranges: [scalar.value...scalar.value])
    }
}

extension ScalarSet {
    /// The only character, when there is only one.
    fileprivate var single: UInt32? {
        guard ranges.count == 1, ranges[0].count == 1 else { return nil }
        return ranges[0].lowerBound
    }
}

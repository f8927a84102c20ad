/// A pattern that a whole value must match: a part of regular expressions, matched in time linear in the value.
///
/// It takes literals, `.`, classes such as `[a-z0-9_]` and `[^:]`, `\d`, `\w`, `\s`, groups, `|`, and the quantifiers
/// `?`, `*`, `+`, `{n}`, `{n,}` and `{n,m}`. What would need a step back (back-references, looking around) is refused, as
/// are `^` and `$`, since a pattern always stands for the whole value. Browsers read the same text the same way.
///
/// All ways to match are followed at once, one character after another, so no value can make a pattern run wild, which
/// backtracking cannot promise: `(a+)+` is harmless here.
///
/// > Thompson, Regular expression search algorithm, CACM 11 (1968)
struct Pattern: Sendable {
    /// As it was written.
    let text: String
    private let program: [PatternStep]

    /// Reads a pattern of at most 1 000 characters.
    init(_ text: String) throws(PatternError) {
        var parser = PatternParser(text)
        var program: [PatternStep] = []
        try parser.whole().write(to: &program)
        program.append(.end)
        self.text = text
        self.program = program
    }

    /// Whether the whole value matches.
    func matches(_ value: String) -> Bool {
        var current = Threads(count: program.count)
        var next = Threads(count: program.count)
        follow(0, in: &current)
        for scalar in value.unicodeScalars {
            next.clear()
            for place in current.places {
                if case .one(let set) = program[place], set.contains(scalar) { follow(place + 1, in: &next) }
            }
            if next.places.isEmpty { return false }
            swap(&current, &next)
        }
        return current.places.contains(program.count - 1)
    }

    /// Notes a place and every place that it leads to without a character.
    private func follow(_ start: Int, in threads: inout Threads) {
        var waiting = [start]
        while let place = waiting.popLast() {
            guard threads.add(place) else { continue }
            switch program[place] {
            case .jump(let target): waiting.append(target)
            case .fork(let one, let other): waiting += [other, one]
            case .one, .end: break
            }
        }
    }

    /// The places of a program that are reached, each once.
    private struct Threads {
        private(set) var places: [Int] = []
        private var isThere: [Bool]

        init(count: Int) { isThere = Array(repeating: false, count: count) }

        mutating func add(_ place: Int) -> Bool {
            guard !isThere[place] else { return false }
            isThere[place] = true
            places.append(place)
            return true
        }

        mutating func clear() {
            for place in places { isThere[place] = false }
            places.removeAll(keepingCapacity: true)
        }
    }
}

/// Why a text is no pattern we take.
struct PatternError: Error, Equatable {
    /// What is wrong with it, for whoever wrote it.
    let sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}

/// A step of a pattern's program.
enum PatternStep: Sendable {
    case one(ScalarSet)
    case jump(Int)
    case fork(Int, Int)
    case end
}

/// Characters by their ranges.
struct ScalarSet: Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isInverted = false

    static let digits = ScalarSet(ranges: [0x30...0x39])
    static let words = ScalarSet(ranges: [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
    static let spaces = ScalarSet(ranges: [0x09...0x0d, 0x20...0x20])
    /// What `.` stands for: everything but the ends of lines.
    static let any = ScalarSet(ranges: [0x0a...0x0a, 0x0d...0x0d], isInverted: true)

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        ranges.contains { $0.contains(scalar.value) } != isInverted
    }
}

/// A part of a pattern.
indirect enum PatternNode {
    case one(ScalarSet)
    case sequence([PatternNode])
    case either([PatternNode])
    case repeated(PatternNode, Int, Int?)

    /// How long a program may become: repetitions are written out.
    static let longestProgram = 4_000

    /// Appends the steps that match this part.
    func write(to program: inout [PatternStep]) throws(PatternError) {
        guard program.count < Self.longestProgram else {
            throw PatternError("it is too large once its repetitions are counted")
        }
        switch self {
        case .one(let set): program.append(.one(set))
        case .sequence(let parts): for part in parts { try part.write(to: &program) }
        case .either(let branches): try Self.write(branches[...], to: &program)
        case .repeated(let part, let least, let most): try Self.write(part, least, most, to: &program)
        }
    }

    private static func write(_ branches: ArraySlice<PatternNode>, to program: inout [PatternStep]) throws(PatternError)
    {
        guard let first = branches.first else { return }
        guard branches.count > 1 else { return try first.write(to: &program) }
        let fork = program.count
        program.append(.fork(fork + 1, 0))
        try first.write(to: &program)
        let jump = program.count
        program.append(.jump(0))
        program[fork] = .fork(fork + 1, program.count)
        try write(branches.dropFirst(), to: &program)
        program[jump] = .jump(program.count)
    }

    private static func write(
        _ part: PatternNode, _ least: Int, _ most: Int?, to program: inout [PatternStep]
    ) throws(PatternError) {
        for _ in 0..<least {
            let before = program.count
            try part.write(to: &program)
            // What matches nothing but the empty text is the same however often it is repeated.
            guard program.count > before else { return }
        }
        guard let most else {
            let fork = program.count
            program.append(.fork(fork + 1, 0))
            try part.write(to: &program)
            program.append(.jump(fork))
            program[fork] = .fork(fork + 1, program.count)
            return
        }
        var forks: [Int] = []
        for _ in least..<most {
            forks.append(program.count)
            program.append(.jump(0))
            try part.write(to: &program)
        }
        for fork in forks { program[fork] = .fork(fork + 1, program.count) }
    }
}

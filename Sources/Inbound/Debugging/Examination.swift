import Domain
import JSONKit
import TimeKit

/// What became of a request, check by check, and how close it was.
struct Examination: Sendable {
    /// What became of one check.
    enum Outcome: String, Sendable, CaseIterable {
        case passed
        case failed
        /// It was not made, since one before it failed.
        case notReached = "not_reached"
    }

    /// What would have made the request right.
    struct Hint: Sendable, Equatable {
        let code: String
        let sentence: String
    }

    /// Every code of a hint.
    static let hintCodes = [
        "only_the_clock", "previous_secret", "secret_with_newline", "secret_form", "trailing_newline", "line_ends",
        "reserialized", "empty_body", "body_alone", "other_encoding", "prefix_missing", "other_digest",
        "without_port", "other_scheme", "without_query", "trailing_slash", "other_header", "old_header",
    ]

    /// Which secret fitted; nil when it was refused.
    let key: Scheme.Proof.Key?
    let failure: Failure?
    let hints: [Hint]

    /// Each check with what became of it.
    var checks: [(check: Failure.Check, outcome: Outcome)] {
        var isReached = true
        return Failure.Check.allCases.map { check in
            guard isReached else { return (check, .notReached) }
            guard failure?.check == check else { return (check, .passed) }
            isReached = false
            return (check, .failed)
        }
    }

    /// What is to be said in one sentence.
    var sentence: String {
        switch (failure, key) {
        case (let failure?, _): failure.sentence
        case (nil, .previous): "It is right, by the secret from before the last rotation, which still counts."
        case (nil, .platformKey): "It is right, by the platform key."
        case (nil, _): "It is right."
        }
    }

    /// Examines a request as of a moment. Nothing of the secrets is told.
    init(_ arrival: Arrival, _ source: OpenSource, at now: Timestamp) {
        do throws(Failure) {
            key = try source.judge(arrival, now: now).key
            failure = nil
            hints = []
        } catch {
            key = nil
            failure = error
            hints = error == .noSecret ? [] : Debugger(arrival, source, error, now: now).hints
        }
    }
}

import AdminShell

/// A figure beside that of the time before, in a few words.
enum Comparison {
    /// Of how many: `12 % more than before`.
    static func amounts(_ now: Int, _ then: Int) -> String {
        guard then > 0 else { return now > 0 ? "none in the time before" : "none before either" }
        return changed(Double(now) / Double(then), more: "more", less: "fewer", same: "as many as before")
    }

    /// Of how long: `8 % slower than before`.
    static func times(_ now: Double?, _ then: Double?) -> String {
        guard let now else { return "nothing measured" }
        guard let then, then > 0 else { return "nothing to compare with" }
        return changed(now / then, more: "slower", less: "faster", same: "as fast as before")
    }

    /// Of the part that succeeded: `0.3 points better than before`.
    static func rates(_ now: Tally, _ then: Tally) -> String {
        guard let rate = now.successRate else { return "no requests" }
        guard let former = then.successRate else { return "\(now.failed.grouped) failed" }
        let hundredths = Int(((rate - former) * 100).rounded())
        guard hundredths != 0 else { return "\(now.failed.grouped) failed, as before" }
        let points = Double(hundredths.magnitude) / 100
        let words = points >= 10 ? "\(Int(points.rounded()))" : decimal(Int(hundredths.magnitude))
        return "\(words) points \(hundredths > 0 ? "better" : "worse") than before"
    }

    private static func changed(_ ratio: Double, more: String, less: String, same: String) -> String {
        if ratio >= 10 {
            return "\(Int(min(ratio, 1e9)).grouped) times as \(more == "more" ? "many" : "slow") as before"
        }
        let percent = Int((abs(ratio - 1) * 100).rounded())
        return percent == 0 ? same : "\(percent) % \(ratio > 1 ? more : less) than before"
    }

    /// Hundredths as a decimal with one or two places.
    private static func decimal(_ hundredths: Int) -> String {
        let rest = hundredths % 100
        if rest == 0 { return "\(hundredths / 100)" }
        return "\(hundredths / 100).\(rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)")"
    }
}

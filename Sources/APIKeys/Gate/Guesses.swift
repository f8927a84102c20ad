import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import ThreadKit
import TimeKit

/// Counts credentials that open nothing, by the address they came from.
///
/// Who guesses too often is told to wait, which a key that opens something is not: behind one address there may be many.
/// Counting asks nothing of the database, and for an address that has guessed too often the database is asked no more
/// often than that again: a key that this host has not met within a day must then wait too. An address leaves one line in the audit log
/// for each window, however much it guesses, written by a thread of its own.
final class Guesses: Sendable {
    /// How many lines wait at most to be written; the log counts what exceeds it.
    private static let room = 1_000

    private struct Line {
        let address: String
        let requestID: String
        let moment: Timestamp
    }

    private let limiter: Limiter
    private let quota: Quota
    private let waiting = Lock<[Line]>([])

    /// - Parameter limit: how many guesses of an address a minute are answered like the first.
    init(_ limiter: Limiter, limit: Int) {
        self.limiter = limiter
        quota = .minute(limit)
    }

    /// An address has guessed too often for the database to be asked once more.
    struct Exhausted: Error {
        /// When it may be asked again, in seconds.
        let retryAfter: Int
    }

    /// Looks a key up in the database for an address, unless it has guessed too often and had too much looked up since.
    ///
    /// Only what is not found counts.
    func look<Key>(for address: String, at now: Timestamp, _ read: () throws -> Key?) throws -> Key? {
        guard !limiter.peek(1, from: [quota], of: LimitSubject(address: address, for: "api-key"), at: now).isAllowed
        else { return try read() }
        let subject = LimitSubject(address: address, for: "api-key-look")
        let taken = limiter.take(1, from: [quota], of: subject, at: now)
        guard taken.isAllowed else { throw Exhausted(retryAfter: LimitFields.retryAfter(taken) ?? 1) }
        let found = try read()
        if found != nil { limiter.giveBack(taken: taken, of: subject) }
        return found
    }

    /// Notes a credential that opens nothing; tells after how many seconds to come back when there were too many.
    func note(from address: String, requestID: String, at now: Timestamp) -> Int? {
        let verdict = limiter.take(1, from: [quota], of: LimitSubject(address: address, for: "api-key"), at: now)
        guard !verdict.isAllowed else { return nil }
        // The first process to ask within a window is given the one line there is.
        let line = limiter.take(
            1, from: [.minute(1)], of: LimitSubject(address: address, for: "api-key-audit"), at: now)
        if line.isAllowed {
            waiting.withLock { waiting in
                guard waiting.count < Self.room else { return }
                waiting.append(Line(address: String(address.prefix(45)), requestID: requestID, moment: now))
            }
        }
        return LimitFields.retryAfter(verdict) ?? 1
    }

    /// Writes the lines that wait. They stand in the audit log of the organization that was there first: it is that of
    /// whoever runs the hub, and a stranger's guess belongs to none.
    func flush(to database: Database, _ audit: AuditTrail, log: Log) throws {
        let lines = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        guard !lines.isEmpty else { return }
        do {
            try write(lines, to: database, audit)
        } catch {
            waiting.withLock { waiting in waiting = Array((lines + waiting).prefix(Self.room)) }
            throw error
        }
        for line in lines {
            log.warning("API keys are being guessed", ["address": .init(line.address), "limit": .init(quota.limit)])
        }
    }

    private func write(_ lines: [Line], to database: Database, _ audit: AuditTrail) throws {
        guard let row = try database.row("SELECT id, name FROM organizations ORDER BY id LIMIT 1") else { return }
        let organization: Identifier<Organization> = try row.get("id")
        let name: String = try row.get("name")
        try database.transaction { transaction in
            for line in lines {
                let hub = OrganizationScope(
                    trusted: organization, name: name, actor: Actor(kind: .hub, name: "hub"),
                    requestID: line.requestID.isEmpty ? "-" : line.requestID)
                try audit.record(
                    "api_key.guessed", .init("address", Identifier<APIKey>?.none, name: line.address),
                    details: [
                        "address": .string(line.address), "invalid_credentials_a_minute": .integer(Int64(quota.limit)),
                        "noticed_at": .string(line.moment.rfc3339),
                    ], by: hub, in: transaction)
            }
        }
    }
}

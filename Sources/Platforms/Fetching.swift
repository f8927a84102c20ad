import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import JobKit
import LogKit
import TimeKit

/// A message that a notification of Graph names without saying what is in it.
struct NamedMessage: Sendable, Equatable {
    let team: String
    let channel: String
    let message: String
    /// The message that it answers, where it does.
    let parent: String?

    /// Reads `teams('…')/channels('…')/messages('…')`, and `/replies('…')` behind it; nil for anything else.
    init?(resource: String) {
        let form =
            /\/?teams\('([^'\/]{1,200})'\)\/channels\('([^'\/]{1,200})'\)\/messages\('([^'\/]{1,200})'\)(?:\/replies\('([^'\/]{1,200})'\))?/
        guard let found = resource.wholeMatch(of: form) else { return nil }
        let first = String(found.3)
        team = String(found.1)
        channel = String(found.2)
        message = found.4.map { String($0) } ?? first
        parent = found.4 == nil ? nil : first
    }

    /// The messages that an event names as new without their content.
    static func all(in event: JSON) -> [NamedMessage] {
        (event["value"]?.elements ?? []).prefix(100).compactMap { notification in
            guard notification["changeType"]?.text ?? "created" == "created",
                notification["resourceData"]?["body"] == nil
            else { return nil }
            return notification["resource"]?.text.flatMap { NamedMessage(resource: $0) }
        }
    }

    /// The address of the message below that of Graph.
    var path: String {
        let step = { (text: String) in Percent.encodeSegment(text) }
        let channel = "teams/\(step(team))/channels/\(step(channel))/messages"
        return parent.map { "\(channel)/\(step($0))/replies/\(step(message))" } ?? "\(channel)/\(step(message))"
    }
}

/// Graph tells which message is new and lets one fetch it; nobody calls Graph while an event is worked off.
extension Platforms {
    static let fetchJob = "platforms.fetch_message"

    /// Takes up the fetching of messages that an event names, in the transaction that hears it.
    func fetchLater(_ event: JSON, of record: IntegrationRecord, in transaction: Transaction) throws {
        let scope = Self.hub(record.organization)
        for named in NamedMessage.all(in: event) {
            let channel = try channels(scope).find(platformID: named.channel, of: record.id, in: transaction)
            guard channel?.isHeard == true else { continue }
            let payload: JSON = [
                "organization": .string(record.organization.text), "integration": .string(record.id.text),
                "team": .string(named.team), "channel": .string(named.channel), "message": .string(named.message),
                "parent": JSON(named.parent),
            ]
            try JobQueue(database, now: world.now).enqueue(
                NewJob(Self.fetchJob, payload: String(decoding: payload.bytes, as: UTF8.self)), in: transaction)
        }
    }

    /// Fetches a message that was named and hears it.
    ///
    /// - Throws: `JobFailure` when it is to be tried again, or by nobody.
    func fetch(_ payload: String) throws {
        guard let json = try? JSON(parsing: Array(payload.utf8)),
            let organization = json["organization"]?.text.flatMap({ Identifier<Organization>($0) }),
            let id = json["integration"]?.text.flatMap({ Identifier<PlatformIntegration>($0) }),
            let named = NamedMessage(json)
        else { throw JobFailure.park(because: "the job names no message") }
        let scope = Self.hub(organization)
        // It may have been removed or disabled meanwhile.
        guard let record = try store(scope).find(id, in: database), record.isEnabled else { return }
        guard let message = try fetched(named, of: record, scope) else { return }
        try database.transaction { transaction in
            _ = try hear(message, of: record, .microsoftTeams, scope, in: transaction)
        }
    }

    private func fetched(
        _ named: NamedMessage, of record: IntegrationRecord, _ scope: OrganizationScope
    ) throws -> HeardMessage? {
        do {
            let instance = try instance(of: record, scope)
            guard let teams = instance.service as? Teams else { return nil }
            return HeardMessage.graph(
                try teams.message(named, calls(record, instance, within: Self.longestCall)))
        } catch let problem as Problem {
            throw JobFailure.retry(after: .minutes(5), because: problem.detail)
        } catch let failure as PlatformFailure {
            switch failure.kind {
            case .missing: return nil
            case .later(let wait): throw JobFailure.retry(after: wait, because: failure.sentence)
            case .unauthorized:
                try noteRefusal(failure, of: record, by: scope)
                throw JobFailure.retry(after: .minutes(5), because: failure.sentence)
            default: throw JobFailure.retry(after: .minutes(1), because: failure.sentence)
            }
        }
    }
}

extension NamedMessage {
    /// As a job holds it.
    fileprivate init?(_ json: JSON) {
        guard let team = json["team"]?.text, let channel = json["channel"]?.text, let message = json["message"]?.text
        else { return nil }
        self.team = team
        self.channel = channel
        self.message = message
        parent = json["parent"]?.text
    }
}

extension Teams {
    /// https://learn.microsoft.com/graph/api/chatmessage-get
    func message(_ named: NamedMessage, _ calls: PlatformCalls) throws(PlatformFailure) -> JSON {
        try call(.get("\(Self.base)/\(named.path)", credential), calls)
    }
}

import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// What the room of connections knows of sending e-mail.
public struct NoticeMail: Sendable {
    /// The connections over which e-mail can be sent, and their names.
    let choices: @Sendable (OrganizationScope) throws -> [(id: Identifier<Connection>, name: String)]
    /// Whether a text is the address of a mailbox.
    let isAddress: @Sendable (String) -> Bool

    /// What is told.
    public init(
        choices: @escaping @Sendable (OrganizationScope) throws -> [(id: Identifier<Connection>, name: String)],
        isAddress: @escaping @Sendable (String) -> Bool
    ) {
        self.choices = choices
        self.isAddress = isAddress
    }
}

/// Telling an organization by e-mail of what needs somebody.
extension Accounts {
    /// Over which connection, and to whom, an organization is told; nil when it wants nothing.
    public func noticeChannel(
        of organization: Identifier<Organization>, in querying: some Querying
    ) throws -> (connection: Identifier<Connection>, addresses: [String])? {
        let terms = try NoticeStore(world: world, organization: organization).terms(in: querying).terms
        guard let connection = terms.connection, terms.isOn else { return nil }
        return (connection, terms.addresses)
    }

    func setNoticesFromPage(_ call: Call) throws -> Response {
        var input = try call.form()
        return try call.perform {
            let terms = try read(&input, "notice_connection", "notice_addresses", call)
            try set(terms, call)
            return call.redirect(
                to: AccountRoute.organization,
                saying: terms.isOn ? "Notices are sent from now on." : "No notices are sent.")
        } orShow: { problem in
            try organizationPage(call, problem: problem)
        }
    }

    func noticesJSON(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let (terms, version) = try NoticeStore(world: world, organization: scope.organization).terms(in: database)
        let body: JSON = [
            "connection_id": JSON(terms.connection?.text), "addresses": .array(terms.addresses.map(JSON.string)),
            "events": .array(Notice.types.map(JSON.string)),
        ]
        return .json(body).tagged(entityTag(version: version))
    }

    func putNotices(_ call: Call) throws -> Response {
        var input = try call.json()
        try set(try read(&input, "connection_id", "addresses", call), call)
        return try noticesJSON(call)
    }

    private func read(
        _ input: inout Input, _ connectionField: String, _ addressesField: String, _ call: Call
    ) throws -> NoticeTerms {
        let choices = try mail.choices(call.scope())
        let connection = input.parsed(
            connectionField, orSay: "Choose a connection to SMTP or SendGrid of this organization."
        ) { text in choices.first { $0.id.text == text }?.id }
        // A list for scripts; between line breaks or commas in a form.
        let addresses = (input.texts(addressesField, atMost: NoticeTerms.mostAddresses) ?? [])
            .flatMap { $0.split { $0 == "," || $0 == ";" || $0.isWhitespace }.map(String.init) }
        if addresses.count > NoticeTerms.mostAddresses {
            input.refuse(addressesField, "too_many", "This takes at most \(NoticeTerms.mostAddresses) addresses.")
        }
        if !addresses.allSatisfy(mail.isAddress) {
            input.refuse(addressesField, "invalid", "Each must be an e-mail address such as ana@example.org.")
        }
        if connection != nil, addresses.isEmpty {
            input.refuse(addressesField, "required", "Say to whom notices are to go.")
        }
        guard input.isComplete else { throw input.refusal }
        return NoticeTerms(connection: connection, addresses: addresses)
    }

    private func set(_ terms: NoticeTerms, _ call: Call) throws {
        let scope = try call.scope()
        let store = NoticeStore(world: world, organization: scope.organization)
        try database.transaction { transaction in
            // The organization is held, since there may be no row of terms yet.
            guard try organization(scope).lockedVersion(in: transaction) != nil else { throw Problem.notFound }
            try call.request.requireMatch(entityTag(version: try store.terms(in: transaction).version))
            try store.write(terms, in: transaction)
            try audit.record(
                "organization.notices_changed",
                .init("organization", scope.organization, name: scope.name),
                details: [
                    "connection_id": JSON(terms.connection?.text),
                    "addresses": .integer(Int64(terms.addresses.count)),
                ], by: scope, in: transaction)
        }
    }
}

extension OrganizationPage {
    /// The form that says where notices go.
    struct Notices: Sendable {
        let action: String
        let terms: NoticeTerms
        let choices: [(id: Identifier<Connection>, name: String)]

        var fields: [FormField] {
            [
                FormField(
                    "notice_connection", "Over",
                    .select(
                        [.init("", "No connection: nothing is sent")] + choices.map { .init($0.id.text, $0.name) }),
                    help: "A connection to an SMTP server or to SendGrid.", isOptional: true,
                    initial: [terms.connection?.text ?? ""]),
                FormField(
                    "notice_addresses", "To", .lines(rows: 3), help: "E-mail addresses, each on a line.",
                    isOptional: true, width: .wide, initial: [terms.addresses.joined(separator: "\n")]),
            ]
        }
    }
}

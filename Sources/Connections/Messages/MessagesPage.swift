import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// What was sent over a connection, and the form that sends more.
struct MessagesPage: ShellPage {
    static let template = "connection-messages"

    /// The paths that the page leads to.
    struct Links: Sendable {
        let connection: String
        let action: String
        let first: String?
        let next: String?
    }

    let shown: ConnectionView
    let capability: Capability
    /// Nil when whoever looks may not send, or the connection cannot.
    let form: FormView?
    /// Why the connection cannot send; nil when it can.
    let obstacle: String?
    let messages: [OutgoingMessage]
    let links: Links
    let now: Timestamp

    var title: String { capability == .messages ? "Messages over \(shown.title)" : "Events over \(shown.title)" }
    var place: Place? { .connections }

    var view: TemplateValue {
        let isEvents = capability == .calendar
        return [
            "connection_href": .text(links.connection), "service": .text(shown.serviceName),
            "name": .text(shown.record.name), "tile": shown.tile, "is_events": .bool(isEvents),
            "action": .text(links.action), "form_errors": form?.summary ?? .null, "has_form": .bool(form != nil),
            "fields": form?.list ?? .list([]), "obstacle": TemplateValue(obstacle),
            "has_messages": .bool(!messages.isEmpty || links.first != nil),
            "messages": .list(messages.map { $0.view(now: now) }), "pagination": pagination,
        ]
    }

    private var pagination: TemplateValue {
        guard links.first != nil || links.next != nil else { return .null }
        return [
            "text": "The newest first.", "first_href": TemplateValue(links.first),
            "next_href": TemplateValue(links.next),
        ]
    }

    /// The fields of the form, by what the service takes.
    static func fields(_ capability: Capability, _ provider: Provider, _ values: [String: String]) -> [FormField] {
        guard capability == .messages, let message = provider.message else { return eventFields }
        let rules = MessageRules.of(message.kind, values)
        var fields: [FormField] = []
        if let recipient = rules.recipient {
            let standard = recipient.defaults.lazy.compactMap { values[$0] }.first
            fields.append(
                FormField(
                    "to", recipient.label, .code,
                    help: standard.map { "Empty means \($0), as the connection is set up." },
                    isOptional: standard != nil,
                    maxLength: 254))
        }
        if let subject = rules.subject {
            fields.append(
                FormField("subject", "Subject", isOptional: !rules.needsSubject, width: .wide, maxLength: subject.count)
            )
        }
        fields.append(
            FormField(
                "text", "Text", .lines(rows: 6), help: "At most \(rules.text.words).", width: .wide))
        if rules.html != nil {
            fields.append(
                FormField(
                    "html", "HTML", .lines(rows: 6), help: "What most programs show in place of the text.",
                    isOptional: true, width: .wide))
        }
        return fields
    }

    private static var eventFields: [FormField] {
        [
            FormField("summary", "Title", width: .wide, maxLength: 1_024),
            FormField(
                "start", "Start", .code,
                help: "A day, 2026-11-21, or a time, 2026-11-21T10:00; with an offset such as +01:00 or the zone below."
            ),
            FormField(
                "end", "End", .code, help: "Written like the start. For whole days the first day after the event."),
            FormField("time_zone", "Time zone", .code, help: "Such as Europe/Ljubljana.", isOptional: true),
            FormField("description", "Description", .lines(rows: 4), isOptional: true, width: .wide),
            FormField(
                "attendees", "Guests", .lines(rows: 3), help: "E-mail addresses; each guest gets an invitation.",
                isOptional: true, width: .wide),
        ]
    }
}

extension OutgoingMessage {
    /// A row of the list.
    func view(now: Timestamp) -> TemplateValue {
        [
            "id": .text(id.text), "to": TemplateValue(recipientHint),
            "state": ["tone": .text(status.tone), "word": .text(status.word)],
            "trouble": TemplateValue(trouble?.sentence), "provider_id": TemplateValue(providerID),
            "by": .text(actor.name), "at": (sentAt ?? createdAt).view(now: now),
            "next": dueAt.map { attempts == 0 ? .null : $0.view(now: now) } ?? .null,
        ]
    }
}

extension MessagesPage {
    static let sample = MessagesPage(
        shown: .sample, capability: .messages, form: FormView([FormField("text", "Text", .lines(rows: 6))]),
        obstacle: "This connection is disabled.",
        messages: [
            .sample(.sent, nil), .sample(.failed, .init(code: "refused", sentence: "Telegram refused this (400).")),
            .sample(.queued, nil),
        ],
        links: Links(
            connection: "/connections/1", action: "/connections/1/messages", first: "/connections/1/messages",
            next: "/connections/1/messages?cursor=1"),
        now: Timestamp(seconds: 90))
}

// MARK: On the connection's own page

extension ConnectionPage {
    /// What can be sent over the connection, and what was sent last.
    struct Sending: Sendable {
        let capability: Capability
        let href: String
        let canSend: Bool
        let messages: [OutgoingMessage]

        func view(now: Timestamp) -> TemplateValue {
            [
                "id": .text(capability.rawValue), "href": .text(href), "is_events": .bool(capability == .calendar),
                "can_send": .bool(canSend), "has_messages": .bool(!messages.isEmpty),
                "messages": .list(messages.map { $0.view(now: now) }),
            ]
        }
    }

    /// The sample with something to send.
    var sendingSample: ConnectionPage {
        var page = self
        page.sending = [
            Sending(
                capability: .messages, href: "/connections/1/messages", canSend: true,
                messages: [.sample(.sent, nil), .sample(.queued, nil)]),
            Sending(capability: .calendar, href: "/connections/1/calendar-events", canSend: false, messages: []),
        ]
        return page
    }
}

extension Connections {
    /// What the page of a connection tells of sending.
    func sending(over view: ConnectionView, _ call: Call) throws -> [ConnectionPage.Sending] {
        let scope = try call.scope()
        let id = view.record.id
        guard let provider = view.provider, scope.allows(.read(.messages)) else { return [] }
        return try provider.capabilities.filter { $0 == .messages || $0 == .calendar }.map { capability in
            let canSend = scope.allows(.write(.messages)) && Self.obstacle(to: view, provider) == nil
            let kind: MessageContent.Kind = capability == .messages ? .message : .calendarEvent
            let last = try messages(scope).list(id, kind: kind, status: nil, after: nil, limit: 4)
            return ConnectionPage.Sending(
                capability: capability,
                href: call.link(capability == .messages ? MessageRoute.page(id) : .eventPage(id)), canSend: canSend,
                messages: last)
        }
    }
}

// MARK: Serving it

extension Connections {
    func messagesPage(_ capability: Capability, _ id: Identifier<Connection>, _ call: Call) throws -> Response {
        try call.page(messagesPage(capability, id, call))
    }

    /// Sends what was typed while the person waits, and says what came of it.
    func sendFromPage(_ capability: Capability, _ id: Identifier<Connection>, _ call: Call) throws -> Response {
        let form = try call.request.form()
        do {
            let scope = try call.scope()
            let view = try find(.id(id), scope)
            let provider = try sender(view, capability)
            var input = Input(form)
            let content = Self.content(capability, provider, view.values, &input)
            guard let content, input.isComplete else { throw input.refusal }
            let message = try send(content, over: view, key: nil, isOnce: true, by: scope)
            let place = capability == .messages ? MessageRoute.page(id) : .eventPage(id)
            switch message.status {
            case .sent: return call.redirect(to: place, saying: "Sent. \(provider.name) took it.")
            case .queued, .sending: return call.redirect(to: place, saying: "It is on its way.", .warn)
            case .unknown: return call.redirect(to: place, saying: message.trouble?.sentence ?? "", .warn)
            case .failed: throw Self.problem(of: message, location: call.link(MessageRoute.json(message.id)))
            }
        } catch let problem as Problem where problem.status != 404 {
            return try call.page(
                messagesPage(capability, id, call, typed: form, problem: problem), status: problem.status)
        }
    }

    private func messagesPage(
        _ capability: Capability, _ id: Identifier<Connection>, _ call: Call, typed: Form? = nil,
        problem: Problem? = nil
    ) throws -> MessagesPage {
        let scope = try call.scope()
        let view = try find(.id(id), scope)
        guard let provider = view.provider, provider.capabilities.contains(capability) else { throw Problem.notFound }
        let part = typed == nil ? try Listing<OutgoingMessage>(of: call.request) : Listing(limit: 50)
        let kind: MessageContent.Kind = capability == .messages ? .message : .calendarEvent
        let found = try messages(scope).list(id, kind: kind, status: nil, after: part.last, limit: part.limit + 1)
        let place = capability == .messages ? MessageRoute.page(id) : .eventPage(id)
        let obstacle = Self.obstacle(to: view, provider)?.sentence
        let canSend = scope.allows(.write(.messages)) && obstacle == nil
        let fields = MessagesPage.fields(capability, provider, view.values)
        return MessagesPage(
            shown: view, capability: capability, form: canSend ? FormView(fields, typed: typed, problem: problem) : nil,
            obstacle: obstacle, messages: Array(found.prefix(part.limit)),
            links: MessagesPage.Links(
                connection: call.link(ConnectionRoute.show(id)), action: call.link(place),
                first: part.last == nil ? nil : call.link(place),
                next: try call.link(place, next: part.next(found, \.id))),
            now: world.now())
    }
}

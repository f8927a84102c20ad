import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

/// The catalogue of events.
struct EventTypeListPage: ShellPage {
    static let template = "event-types"
    static let sample = EventTypeListPage(
        eventsHref: "/events", newHref: "/event-types/new-type", canChange: true, types: EventTypes(own: [.sample]),
        typeHref: { "/event-types/\($0)" })

    let eventsHref: String
    let newHref: String
    let canChange: Bool
    let types: EventTypes
    let typeHref: @Sendable (String) -> String

    var title: String { "Event catalogue" }
    var place: Place? { .events }

    var view: TemplateValue {
        [
            "events_href": .text(eventsHref), "new_href": .text(newHref), "can_change": .bool(canChange),
            "groups": .list(
                EventGroup.all(types).map { group in
                    ["title": .text(group.wildcard), "types": .list(group.types.map(view))]
                }),
        ]
    }

    private func view(_ type: EventType) -> TemplateValue {
        [
            "href": .text(typeHref(type.name.description)), "name": .text(type.name.description),
            "description": .text(type.description), "is_own": .bool(!type.isBuiltIn),
            "has_schema": .bool(type.schema != nil), "is_deprecated": .bool(type.deprecatedAt != nil),
        ]
    }
}

/// One kind of event.
struct EventTypePage: ShellPage {
    static let template = "event-type"
    static let sample = EventTypePage(
        type: .sample, listHref: "/event-types", eventsHref: "/events?type=a", publishHref: "/events/new?type=a",
        editHref: "/event-types/a/edit", removeHref: "/event-types/a/remove", now: Timestamp(seconds: 90))

    let type: EventType
    let listHref: String
    let eventsHref: String
    let publishHref: String?
    let editHref: String?
    let removeHref: String?
    let now: Timestamp

    var title: String { "\(type.name), kind of event" }
    var place: Place? { .events }

    var view: TemplateValue {
        [
            "list_href": .text(listHref), "name": .text(type.name.description), "description": .text(type.description),
            "deprecated": type.deprecatedAt?.view(now: now) ?? .null, "is_built_in": .bool(type.isBuiltIn),
            "schema": type.schema.map { ["id": "schema", "pieces": HighlightedJSON($0.json).view] } ?? .null,
            "example": type.example.map { ["id": "example", "pieces": HighlightedJSON($0).view] } ?? .null,
            "events_href": .text(eventsHref), "publish_href": TemplateValue(publishHref),
            "edit_href": TemplateValue(editHref), "remove_href": TemplateValue(removeHref),
        ]
    }
}

/// The form that describes a kind of event, or describes it anew.
struct EventTypeFormPage: ShellPage {
    static let template = "event-type-form"
    static let sample = EventTypeFormPage(
        type: .sample, backHref: "/event-types", action: "/event-types/new-type", typed: nil,
        problem: .invalid("schema", "invalid_schema", "x"))

    /// The kind that is changed; nil for a new one.
    let type: EventType?
    let backHref: String
    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { type.map { "Change \($0.name)" } ?? "Describe an event" }
    var place: Place? { .events }

    var view: TemplateValue {
        let form = FormView(fields, typed: typed, problem: problem)
        return .object(
            [
                "back_href": .text(backHref), "action": .text(action), "name": TemplateValue(type?.name.description),
                "version": TemplateValue(type?.version),
            ].merging(form.members) { one, _ in one })
    }

    private var fields: [FormField] {
        let name = FormField(
            "name", "Name", .code, help: "Words of letters, digits and _, joined by dots: order.shipped.",
            maxLength: 128)
        let rest = [
            FormField(
                "description", "Description", help: "When it happens, in one sentence.", width: .wide, maxLength: 500,
                initial: [type?.description ?? ""]),
            FormField(
                "schema", "JSON Schema", .lines(rows: 8),
                help: "What its data must look like; an event that breaks it is refused.", isOptional: true,
                width: .wide, initial: [FormJSON.text(type?.schema?.json)]),
            FormField(
                "example", "Example", .lines(rows: 8), help: "Data as a JSON object; tests send it.",
                isOptional: true, width: .wide, initial: [FormJSON.text(type?.example)]),
        ]
        guard let type else { return [name] + rest }
        return rest + [
            FormField(
                "deprecated", "Deprecated: it is still sent, but nobody should begin to use it", .checkbox,
                initial: [type.deprecatedAt == nil ? "" : "true"])
        ]
    }
}

/// Asks before a kind of event is forgotten.
struct EventTypeRemovePage: ShellPage {
    static let template = "event-type-remove"
    static let sample = EventTypeRemovePage(
        type: .sample, showHref: "/event-types/a", action: "/event-types/a/remove", typed: nil, problem: nil)

    let type: EventType
    let showHref: String
    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { "Remove \(type.name)" }
    var place: Place? { .events }

    var view: TemplateValue {
        let form = FormView(
            [FormField("confirm_name", "Type “\(type.name)” to go on", .code)], typed: typed, problem: problem)
        return .object(
            [
                "show_href": .text(showHref), "action": .text(action), "name": .text(type.name.description),
                "stays_open": .bool(type.name.description.hasPrefix("custom.")),
            ].merging(form.members) { one, _ in one })
    }
}

extension EventType {
    /// A kind of an organization's own, for samples of pages.
    static let sample: EventType = {
        guard let name = EventName("order.shipped") else { preconditionFailure("a sample has a name") }
        return EventType(
            name: name, description: "An order left the house.",
            schema: try? SchemaRule(["type": "object", "required": ["order_id"]]), example: ["order_id": "o_1"],
            deprecatedAt: Timestamp(seconds: 0), version: 1)
    }()
}

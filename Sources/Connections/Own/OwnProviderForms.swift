import AdminShell
import Domain
import HTTPKit

/// The pages of services: what is known of each, and those that an organization describes for itself.
extension Connections {
    func providerPage(_ key: String, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let provider = try requireProvider(key, scope)
        return try call.page(
            ProviderPage(
                provider: provider, galleryHref: call.link(ConnectionRoute.gallery),
                connectHref: scope.allows(.write(.connections))
                    ? call.link(ConnectionRoute.new(provider: key)) : nil,
                editHref: provider.isOwn && scope.allows(.write(.providers))
                    ? call.link(ConnectionRoute.providerEdit(key)) : nil,
                guide: ProviderGuide(provider, for: nil, at: call.shell.site.base)))
    }

    func newProviderPage(_ call: Call) throws -> Response {
        try call.page(providerEditPage(nil, ProviderEditPage.example, nil, call))
    }

    /// Checks what was typed, or stores it.
    func addProvider(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let (source, isCheck, _) = try typedProvider(call)
        let reading = try reading(of: source, replacing: nil, scope)
        guard !isCheck, reading.provider != nil else {
            return try call.page(
                providerEditPage(nil, source, reading, call), status: reading.provider == nil ? 422 : 200)
        }
        return try call.perform {
            let provider = try describe(source, by: scope)
            return call.redirect(to: ConnectionRoute.provider(provider.key), saying: "\(provider.name) added.")
        } orShow: { problem in
            try providerEditPage(nil, source, reading, call, problem)
        }
    }

    func editProviderPage(_ key: String, _ call: Call) throws -> Response {
        let own = try ownProvider(key, call.scope())
        let reading = own.reading
        return try call.page(providerEditPage(own, own.source, reading.provider == nil ? reading : nil, call))
    }

    func editProvider(_ key: String, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let own = try ownProvider(key, scope)
        let (source, isCheck, version) = try typedProvider(call)
        let reading = try reading(of: source, replacing: key, scope)
        guard !isCheck, reading.provider != nil else {
            return try call.page(
                providerEditPage(own, source, reading, call), status: reading.provider == nil ? 422 : 200)
        }
        return try call.perform {
            let provider = try describe(key, source, by: scope) { old in
                if let version, version != old.stamp.version {
                    throw Problem.changedByAnother("provider", "Check your file, and save again to replace theirs.")
                }
            }
            return call.redirect(to: ConnectionRoute.provider(key), saying: "\(provider.name) saved.")
        } orShow: { problem in
            try providerEditPage(ownProvider(key, scope), source, reading, call, problem)
        }
    }

    func removeProvider(_ key: String, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let own = try ownProvider(key, scope)
        var input = try call.form()
        return try call.perform {
            guard let typed = input.text("confirm_name", 1...64), input.isComplete else { throw input.refusal }
            guard typed == key else {
                throw Problem.invalid("confirm_name", "not_the_name", "Type the key of the provider: \(key)")
            }
            try removeProvider(key, by: scope)
            return call.redirect(to: ConnectionRoute.gallery, saying: "Provider \(key) removed.")
        } orShow: { problem in
            try providerEditPage(own, own.source, nil, call, problem)
        }
    }

    private func typedProvider(_ call: Call) throws -> (source: String, isCheck: Bool, version: Int64?) {
        let form = try call.request.form()
        var input = Input(form)
        _ = input.optionalText("source", 0...Int.max)
        let intent = input.optionalText("intent")
        let version = input.number("version", 0...Int64.max)
        guard input.isComplete else { throw input.refusal }
        // Browsers send lines of a text area with CR LF (HTML §4.10.21.4); places count columns in the line.
        return ((form["source"] ?? "").replacing("\r\n", with: "\n"), intent == "check", version)
    }

    private func providerEditPage(
        _ stored: OwnProvider?, _ source: String, _ reading: ProviderReading?, _ call: Call, _ problem: Problem? = nil
    ) throws -> ProviderEditPage {
        let route = stored.map { ConnectionRoute.providerEdit($0.key) } ?? .providerNew
        var page = ProviderEditPage(
            stored: stored, galleryHref: call.link(ConnectionRoute.gallery), action: call.link(route), source: source,
            reading: reading)
        page.problem = problem
        if let key = stored?.key {
            page.removal = ProviderEditPage.Removal(
                action: call.link(ConnectionRoute.providerRemove(key)),
                reason: try reasonToKeepProvider(key, call.scope(), in: database), key: key)
        }
        return page
    }
}

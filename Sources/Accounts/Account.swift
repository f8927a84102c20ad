import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// A signed-in person's own page.
extension Accounts {
    func accountPage(_ call: Call) throws -> Response {
        try call.page(accountPage(call, problem: nil))
    }

    func changePassword(_ call: Call) throws -> Response {
        let browser = try call.browser()
        var input = try call.form()
        return try call.perform {
            guard let account = try accounts.account(browser.user) else { throw Problem.notFound }
            let current = input.required("current_password", input.secret("current_password"))
            let new = newPassword("new_password", &input, context: [account.name, account.email])
            guard let current, let new, input.isComplete else { throw input.refusal }
            guard try isRight(current, of: account) else {
                throw Problem.invalid("current_password", "invalid_credentials", "This is not your current password.")
            }
            let hash = try passwords.hash(new)
            // Told whatever becomes of it: what is kept in memory is only looked up again.
            defer { changed() }
            try database.transaction { transaction in
                try accounts.setPasswordHash(hash, of: account.id, in: transaction)
                try sessions.endAll(of: account.id, except: browser.session, in: transaction)
                if let scope = call.organization {
                    try audit.record(
                        "user.password_changed", .init("user", account.id, name: account.email), by: scope,
                        in: transaction)
                }
                try passwordChanged(account.id, transaction)
            }
            return call.redirect(to: AccountRoute.account, saying: "Password changed. Your other sessions have ended.")
        } orShow: { problem in
            try accountPage(call, problem: problem)
        }
    }

    func chooseTheme(_ call: Call) throws -> Response {
        var input = try call.form()
        let themes = ["system", "light", "dark"]
        let theme = input.parsed("theme", orSay: "Choose system, light or dark.") { themes.contains($0) ? $0 : nil }
        guard let theme = input.required("theme", theme), input.isComplete else { throw input.refusal }
        try accounts.setTheme(theme, of: call.browser().user)
        return call.redirect(to: AccountRoute.account)
    }

    func endSession(_ id: Identifier<Session>, _ call: Call) throws -> Response {
        guard try sessions.end(id, of: call.browser().user) else { throw Problem.notFound }
        return call.redirect(to: AccountRoute.account, saying: "Session ended.")
    }

    func endOtherSessions(_ call: Call) throws -> Response {
        let browser = try call.browser()
        try sessions.endAll(of: browser.user, except: browser.session, in: database)
        return call.redirect(to: AccountRoute.account, saying: "Your other sessions have ended.")
    }

    private func accountPage(_ call: Call, problem: Problem?) throws -> AccountPage {
        let browser = try call.browser()
        let now = world.now()
        let list = try sessions.sessions(of: browser.user).map { row in
            let id: Identifier<Session> = try row.get("id")
            return AccountPage.SessionRow(
                device: Device.name(of: try row.get("user_agent")), address: try row.get("remote_address"),
                isCurrent: id == browser.session, started: try row.get("created_at"), seen: try row.get("last_seen_at"),
                endHref: id == browser.session ? nil : call.link(AccountRoute.endSession(id)))
        }
        return AccountPage(
            name: browser.name, email: call.principal?.actor.name ?? "", role: call.organization?.role.word ?? "—",
            theme: browser.theme, themeAction: call.link(AccountRoute.chooseTheme),
            passwordAction: call.link(AccountRoute.changePassword), sessions: list,
            endOthersHref: list.count > 1 ? call.link(AccountRoute.endOtherSessions) : nil, problem: problem, now: now)
    }
}

extension Role {
    /// The role as pages name it.
    var word: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
}

/// A browser in words, as far as its `User-Agent` tells.
enum Device {
    static func name(of agent: String) -> String {
        let browsers = [
            ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
            ("curl/", "curl"),
        ]
        let systems = [
            ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"),
            ("Linux", "Linux"),
        ]
        let browser = browsers.first { agent.contains($0.0) }?.1
        let system = systems.first { agent.contains($0.0) }?.1
        switch (browser, system) {
        case (let browser?, let system?): return "\(browser) on \(system)"
        case (let one?, nil), (nil, let one?): return one
        case (nil, nil): return "Unknown browser"
        }
    }
}

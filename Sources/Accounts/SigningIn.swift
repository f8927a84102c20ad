import AdminShell
import CipherKit
import Domain
import HTTPKit
import LimitKit
import LogKit
import TimeKit

extension Accounts {
    func signInPage(_ call: Call) throws -> Response {
        let next = SignInPage.next(try call.request.query()["next"], mount: call.shell.site.mount)
        if call.principal?.browser != nil { return call.redirect(toPath: next) }
        if try accounts.isEmpty() { return try call.page(SetUpClosedPage(reason: .new, signInHref: "")) }
        return try call.page(SignInPage(action: call.link(AccountRoute.signIn), next: next))
    }

    /// Judges a password: the attempt is counted first, the cookie is new each time, and unknown people cost as much
    /// time and get the same words as known ones.
    func signIn(_ call: Call) throws -> Response {
        let form = try call.request.form()
        var input = Input(form)
        let next = SignInPage.next(input.optionalText("next", 0...2_000), mount: call.shell.site.mount)
        return try call.perform {
            // Both are read before either is refused, so that neither is called unknown.
            let (given, secret) = (
                input.required("email", email(&input)), input.required("password", input.secret("password"))
            )
            guard let email = given, let password = secret, input.isComplete else { throw input.refusal }
            let account = try judge(email, password, address: call.request.remoteAddress)
            call.log.info("signed in", ["user": .init(account.id.text), "address": .init(call.request.remoteAddress)])
            return try begin(account.id, organization: nil, call, next: next)
        } orShow: { problem in
            SignInPage(action: call.link(AccountRoute.signIn), next: next, typed: form, problem: problem)
        }
    }

    /// Judges the password of somebody who is signed in, counted like an attempt at the door: who found a browser open
    /// must not guess there for free.
    func isRight(_ password: Secret<String>, of account: Account) throws -> Bool {
        let subject = subject("account", account.email)
        let wait = try accounts.reserveAttempt([(subject, .account)])
        guard wait == .zero else { throw Self.tooMany(wait) }
        guard try verify(password, against: account.passwordHash, counted: subject) else { return false }
        try accounts.forgiveAttempt(account: subject)
        return true
    }

    /// Verifies a password whose attempt was counted. One that is not judged, since too many are at it, does not count.
    private func verify(
        _ password: Secret<String>, against hash: String?, counted subject: [UInt8], orTakeBack: () -> Void = {}
    ) throws -> Bool {
        do {
            return try passwords.verify(password, against: hash)
        } catch {
            orTakeBack()
            try accounts.takeBackAttempt(account: subject)
            throw error
        }
    }

    private func judge(_ email: String, _ password: Secret<String>, address: String) throws -> Account {
        let visitor = LimitSubject(address: address, for: "sign-in")
        let attempt = limiter.take(from: Self.attemptsPerAddress, of: visitor, at: world.now())
        if let wait = attempt.retryAfter { throw Self.tooMany(wait) }
        let takeBack = { limiter.giveBack(taken: attempt, of: visitor) }
        guard let account = try rightAccount(email, password, orTakeBack: takeBack) else {
            throw Problem.invalid("password", "invalid_credentials", "The e-mail or the password is not right.")
        }
        takeBack()
        // When too many hashes are being made it is left for another time: the password was right.
        if passwords.needsRehash(account.passwordHash), let hash = try? passwords.hash(password) {
            try accounts.setPasswordHash(hash, of: account.id, in: database)
        }
        return account
    }

    /// The account that has this address and this password; nil when there is none, after the same work.
    private func rightAccount(
        _ email: String, _ password: Secret<String>, orTakeBack takeBack: () -> Void
    ) throws -> Account? {
        let subject = subject("account", email)
        let wait = try accounts.reserveAttempt([(subject, .account)])
        guard wait == .zero else { throw Self.tooMany(wait) }
        let account = try accounts.account(email: email, in: database)
        let isRight = try verify(
            password, against: account?.passwordHash, counted: subject, orTakeBack: takeBack)
        guard isRight, let account, !account.isDisabled else { return nil }
        try accounts.forgiveAttempt(account: subject)
        return account
    }

    /// How often one address may be wrong, behind which many people may sit. Judged before the database is asked or a
    /// password hashed; a right attempt does not count.
    static let attemptsPerAddress = [Quota.minute(20), .hour(100)]

    /// Begins a session, whatever cookie the browser came with.
    func begin(
        _ user: Identifier<User>, organization: Identifier<Organization>?, _ call: Call, next: String
    ) throws -> Response {
        if let old = call.request.cookie(call.shell.site.cookieName(Self.sessionCookie)) {
            try sessions.end(token: old)
        }
        let token = try sessions.begin(
            for: user, organization: organization, address: call.request.remoteAddress,
            agent: call.request.headers["user-agent"] ?? "", in: database)
        let cookie = call.shell.site.cookie(Self.sessionCookie, token, maxAge: sessions.absolute)
        return call.redirect(toPath: next).setting(cookie)
    }

    func signOut(_ call: Call) throws -> Response {
        if let token = call.request.cookie(call.shell.site.cookieName(Self.sessionCookie)) {
            try sessions.end(token: token)
        }
        return call.redirect(to: AccountRoute.signIn)
            .setting(call.shell.site.cookie(Self.sessionCookie, "", maxAge: .zero))
            .with("clear-site-data", "\"cache\"")
    }

    /// An address as the account is known by: lower case, with an `@` inside.
    func email(_ input: inout Input) -> String? {
        input.parsed("email", orSay: "This is no e-mail address.", 3...254, by: Self.email)
    }

    /// Reads an e-mail address, loosely: only a letter sent there proves it.
    static func email(_ text: String) -> String? {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, text.utf8.count <= 254,
            !text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7f })
        else { return nil }
        return text.lowercased()
    }

    private func subject(_ kind: String, _ name: String) -> [UInt8] { SHA256.digest("\(kind):\(name)".utf8) }

    private static func tooMany(_ wait: Duration) -> Problem {
        let seconds = max(1, wait.components.seconds + 1)
        let words = seconds < 90 ? "\(seconds) seconds" : "\((seconds + 59) / 60) minutes"
        return Problem(
            429, "too_many_attempts", "There were too many failed attempts. Try again in \(words).",
            headers: ["retry-after": "\(seconds)"])
    }
}

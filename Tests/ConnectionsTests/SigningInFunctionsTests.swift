import Domain
import HTTPKit
import LogKit
import RoomFixture
import Testing

@testable import Connections

/// The functions of PhoenixKit's `Integrations` by which people sign in, each test named after one.
@Suite(.timeLimit(.minutes(15))) struct SigningInFunctions {
    let there: SigningInOffice
    let integrations: Integrations
    let address = "https://app.example/callback"

    init() throws {
        there = try SigningInOffice()
        integrations = there.office.room.integrations(try there.office.house.scope(of: there.office.admin))
    }

    @Test("authorization_url")
    func authorizationURL() throws {
        _ = try there.connection()
        let begun = try integrations.authorizationURL(
            "google", redirectURI: address, extraScopes: ["https://www.googleapis.com/auth/drive.file"],
            for: there.office.admin)
        let url = try begun.url.reveal { try Address($0) }
        #expect(url.place == "https://accounts.google.com/o/oauth2/v2/auth" && url["redirect_uri"] == address)
        #expect(url["scope"] == "openid email profile https://www.googleapis.com/auth/drive.file")
        #expect(url.state == begun.state.reveal { $0 } && url.state.utf8.count == 43)
        #expect(throws: IntegrationsError.notConfigured) {
            try integrations.authorizationURL("google:none", redirectURI: address, for: there.office.admin)
        }
        _ = try there.office.telegram()
        #expect {
            try integrations.authorizationURL("telegram", redirectURI: address, for: there.office.admin)
        } throws: {
            ($0 as? IntegrationsError)?.code == "no_sign_in"
        }
    }

    @Test("exchange_code")
    func exchangeCode() throws {
        _ = try there.connection()
        let admin = there.office.admin
        let begun = try integrations.authorizationURL("google", redirectURI: address, for: admin)
        let code = Secret(SigningInOffice.code)
        let stranger = try there.office.house.person(.admin, in: there.office.organization)
        #expect {
            try integrations.exchangeCode("google", code, state: begun.state, redirectURI: address, for: stranger)
        } throws: { ($0 as? IntegrationsError)?.code == "invalid" }
        let done = try integrations.exchangeCode("google", code, state: begun.state, redirectURI: address, for: admin)
        #expect(done.status == .connected && integrations.connected("google"))
        #expect(
            try integrations.getCredentials("google").reveal { $0 }["access_token"] == SigningInOffice.accessToken)
        #expect {
            try integrations.exchangeCode("google", code, state: begun.state, redirectURI: address, for: admin)
        } throws: { ($0 as? IntegrationsError)?.description.contains("used already") == true }
    }
}

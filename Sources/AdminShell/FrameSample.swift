import TemplateKit

/// Renders pages with their samples, so that `hub doctor` and the tests find a hole in a template before a person does.
extension TemplateLibrary {
    /// Renders a page's sample in a frame's sample.
    public func renderSample<P: ShellPage>(of page: P.Type) throws -> [UInt8] {
        try render(P.sample, over: Self.frame(title: P.sample.title))
    }

    /// What a frame holds when somebody who belongs to two organizations looks at a page.
    private static func frame(title: String) -> TemplateValue {
        let mark: TemplateValue = ["id": "0197", "name": "Acme Shop", "initials": "AS"]
        return [
            "language": "en", "page_title": .text(title), "csrf_token": "4QmB0cQ2mYx0bVZp3Jw9tA",
            "form_nonce": "b81cd0",
            "theme": "system", "session_idle_seconds": 1_800,
            "assets": ["css": "/assets/hub.css", "js": "/assets/hub.js", "icon": "/assets/icon.svg"],
            "site": ["name": "Integrations hub", "initials": "IH"], "flash": ["tone": "good", "text": "Saved."],
            "organization": mark, "organization_switcher": ["action": "/organization/switch", "items": [mark]],
            "navigation": [
                "overview": ["href": "/", "current": true],
                "groups": [
                    [
                        "title": "Connect",
                        "items": [["label": "Connections", "href": "/connections", "current": false, "count": "2"]],
                    ]
                ],
            ],
            "account": [
                "name": "Ana Kovač", "email": "ana@acme.example", "href": "/account", "current": false,
                "sign_out_action": "/sign-out",
            ],
        ]
    }
}

/// The pages of the shell itself.
public enum ShellPages {
    /// One of each, with its sample.
    public static let all: [any ShellPage.Type] = [FramedErrorPage.self, BareErrorPage.self]
}

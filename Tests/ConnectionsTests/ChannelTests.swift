import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Connections

/// Each service's documented request, byte for byte, and what its documented answers mean.
@Suite("Channels", .timeLimit(.minutes(15))) struct ChannelTests {
    /// A service, how it is connected, what is sent, the request that it must get, its answer and the id in that.
    struct Example: Sendable, CustomTestStringConvertible {
        let provider: String
        let setup: String
        let sent: String
        let request: String
        let answer: String
        let id: String?

        var testDescription: String { provider }
    }

    static let examples = [
        // https://www.twilio.com/docs/whatsapp/api
        Example(
            provider: "whatsapp",
            setup:
                #"{"account_sid":"AC00112233445566778899aabbccddeeff","auth_token":"fedcba98765432100123","from_whatsapp":"+14155238886"}"#,
            sent: #"{"to":"+15005550006","text":"Grüße & mehr"}"#,
            request: """
                POST /2010-04-01/Accounts/AC00112233445566778899aabbccddeeff/Messages.json HTTP/1.1
                Authorization: Basic QUMwMDExMjIzMzQ0NTU2Njc3ODg5OWFhYmJjY2RkZWVmZjpmZWRjYmE5ODc2NTQzMjEwMDEyMw==
                Content-Type: application/x-www-form-urlencoded
                Host: api.twilio.com
                User-Agent: hub/test

                From=whatsapp%3A%2B14155238886&To=whatsapp%3A%2B15005550006&Body=Gr%C3%BC%C3%9Fe%20%26%20mehr
                """,
            answer: StandIn.json(201, #"{"sid":"SM0123","status":"queued","error_code":null}"#), id: "SM0123"),
        // https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
        Example(
            provider: "sendgrid", setup: #"{"api_key":"SG.0123456789abcdef","from_email":"shop@acme.example"}"#,
            sent: #"{"to":"ana@example.org","subject":"Hi","text":"Hello","html":"<p>Hello</p>"}"#,
            request: """
                POST /v3/mail/send HTTP/1.1
                Authorization: Bearer SG.0123456789abcdef
                Content-Type: application/json; charset=utf-8
                Host: api.sendgrid.com
                User-Agent: hub/test

                {"personalizations":[{"to":[{"email":"ana@example.org"}]}],"from":{"email":"shop@acme.example"},"subject":"Hi","content":[{"type":"text/plain","value":"Hello"},{"type":"text/html","value":"\\u003cp>Hello\\u003c/p>"}]}
                """,
            answer:
                "HTTP/1.1 202 Accepted\r\nX-Message-Id: 14c5d75ce93.dfd.64b469\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            id: "14c5d75ce93.dfd.64b469"),
        // https://core.telegram.org/bots/api#sendmessage
        Example(
            provider: "telegram", setup: #"{"bot_token":"\#(Office.token)"}"#,
            sent: #"{"to":-1001234567890,"text":"Hello\n😀"}"#,
            request: """
                POST /bot\(Office.token)/sendMessage HTTP/1.1
                Content-Type: application/json; charset=utf-8
                Host: api.telegram.org
                User-Agent: hub/test

                {"chat_id":"-1001234567890","text":"Hello\\n😀"}
                """,
            answer: StandIn.json(200, #"{"ok":true,"result":{"message_id":42,"date":1,"text":"Hello"}}"#), id: "42"),
        // Instagram Platform, Send messages with Instagram Login
        Example(
            provider: "instagram", setup: #"{"token":"IGQVJ0123456789abcdef","instagram_scoped_id":"178414"}"#,
            sent: #"{"text":"Hello"}"#,
            request: """
                POST /v23.0/me/messages HTTP/1.1
                Authorization: Bearer IGQVJ0123456789abcdef
                Content-Type: application/json; charset=utf-8
                Host: graph.instagram.com
                User-Agent: hub/test

                {"recipient":{"id":"178414"},"message":{"text":"Hello"}}
                """,
            answer: StandIn.json(200, #"{"recipient_id":"178414","message_id":"aWdfZAG1f"}"#), id: "aWdfZAG1f"),
        // https://docs.slack.dev/reference/methods/chat.postMessage
        Example(
            provider: "slack", setup: PostRoom.slack,
            sent: ##"{"to":"#alerts","text":"<!channel> a & b"}"##,
            request: """
                POST /api/chat.postMessage HTTP/1.1
                Authorization: Bearer xoxb-1234567890
                Content-Type: application/json; charset=utf-8
                Host: slack.com
                User-Agent: hub/test

                {"channel":"#alerts","text":"&lt;!channel&gt; a &amp; b"}
                """,
            answer: StandIn.json(200, #"{"ok":true,"channel":"C123","ts":"1503435956.000247","message":{}}"#),
            id: "1503435956.000247"),
        // https://docs.discord.com/developers/resources/webhook#execute-webhook
        Example(
            provider: "discord",
            setup: PostRoom.discordHook,
            sent: #"{"text":"@everyone"}"#,
            request: """
                POST /api/webhooks/223704706495545344/3d89bb75?wait=true HTTP/1.1
                Content-Type: application/json; charset=utf-8
                Host: discord.com
                User-Agent: hub/test

                {"content":"@everyone","allowed_mentions":{"parse":[]}}
                """,
            answer: StandIn.json(200, #"{"id":"334385199974967042","channel_id":"290926798999357250"}"#),
            id: "334385199974967042"),
        // Microsoft Teams, Workflows: post to a channel when a webhook request is received
        Example(
            provider: "microsoft_teams",
            setup:
                #"{"webhook_url":"https://prod-1.westeurope.logic.azure.com/workflows/ab/triggers/manual/paths/invoke?api-version=2016-06-01&sig=s3cr3t"}"#,
            sent: #"{"subject":"Order 7","text":"Paid"}"#,
            request: """
                POST /workflows/ab/triggers/manual/paths/invoke?api-version=2016-06-01&sig=s3cr3t HTTP/1.1
                Content-Type: application/json; charset=utf-8
                Host: prod-1.westeurope.logic.azure.com
                User-Agent: hub/test

                {"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,"content":{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.4","body":[{"type":"TextBlock","text":"Order 7","weight":"Bolder","size":"Medium","wrap":true},{"type":"TextBlock","text":"Paid","wrap":true}]}}]}
                """,
            answer:
                "HTTP/1.1 202 Accepted\r\nx-ms-workflow-run-id: 0858\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            id: "0858"),
    ]

    @Test(
        "A message becomes the request that the service documents, and its answer the service's id", arguments: examples
    )
    func example(example: Example) throws {
        let post = try PostRoom(example.answer)
        let id = try post.connect(example.provider, example.setup)
        let (response, body) = try post.send(id, example.sent)
        #expect(response.status == 201, "\(body)")
        #expect(try post.lastRequest() == example.request)
        #expect(body["provider_id"]?.text == example.id && body["status"] == "sent" && body["attempts"] == 1)
        #expect(post.service.requests.count == 1)
    }

    @Test("A bot's message on Discord carries a nonce made of the message's id, which Discord enforces")
    func discordBot() throws {
        let post = try PostRoom(StandIn.json(200, #"{"id":"334385199974967042"}"#))
        let id = try post.connect("discord", PostRoom.discordBot)
        let body = try post.send(id, #"{"text":"Hello"}"#).body
        let message = try #require(body["id"]?.text.flatMap { MessageID($0) })
        let nonce = DiscordChat.nonce(message)
        #expect(nonce.count <= 25)
        #expect(
            try post.lastRequest() == """
                POST /api/v10/channels/290926798999357250/messages HTTP/1.1
                Authorization: Bot MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs
                Content-Type: application/json; charset=utf-8
                Host: discord.com
                User-Agent: DiscordBot (hub, 1)

                {"content":"Hello","allowed_mentions":{"parse":[]},"nonce":"\(nonce)","enforce_nonce":true}
                """)
    }

    @Test("An event becomes the request that Google documents, with an id of ours; 409 says that it is there already")
    func event() throws {
        let post = try PostRoom(StandIn.json(200, #"{"kind":"calendar#event","id":"from-google"}"#))
        let id = try post.connect(
            "google_calendar", #"{"token":"ya29.0123456789abcdef","calendar_id":"team@group.calendar.google.com"}"#)
        let (response, body) = try post.send(
            id,
            #"{"summary":"Plan","start":"2026-11-21T10:00:00","end":"2026-11-21T11:00:00","time_zone":"Europe/Ljubljana","description":"Bring figures","attendees":["ana@example.org"]}"#,
            event: true)
        #expect(response.status == 201 && body["provider_id"] == "from-google" && body["kind"] == "calendar_event")
        let event = try #require(body["id"]?.text).replacing("-", with: "")
        #expect(event.wholeMatch(of: /[a-v0-9]{5,1024}/) != nil)
        #expect(
            try post.lastRequest() == """
                POST /calendar/v3/calendars/team%40group.calendar.google.com/events?sendUpdates=all HTTP/1.1
                Authorization: Bearer ya29.0123456789abcdef
                Content-Type: application/json; charset=utf-8
                Host: www.googleapis.com
                User-Agent: hub/test

                {"id":"\(event)","summary":"Plan","description":"Bring figures","start":{"dateTime":"2026-11-21T10:00:00","timeZone":"Europe/Ljubljana"},"end":{"dateTime":"2026-11-21T11:00:00","timeZone":"Europe/Ljubljana"},"attendees":[{"email":"ana@example.org"}]}
                """)
        post.answer(StandIn.json(409, #"{"error":{"code":409,"message":"The requested identifier already exists."}}"#))
        let again = try post.send(id, #"{"summary":"Off","start":"2026-12-24","end":"2026-12-27"}"#, event: true)
        #expect(again.response.status == 201)
        #expect(again.body["provider_id"]?.text == again.body["id"]?.text?.replacing("-", with: ""))
        let request = try post.lastRequest()
        #expect(request.contains("sendUpdates=none") && request.contains(#""start":{"date":"2026-12-24"}"#))
    }

    @Test(
        "What a service refuses is 422 in its own words, without secrets and without the message",
        arguments: [
            (
                "telegram", #"{"bot_token":"\#(Office.token)"}"#, #"{"to":"4242424242","text":"secret words"}"#, 400,
                #"{"ok":false,"error_code":400,"description":"Bad Request: chat 4242424242 not found for \#(Office.token), secret words"}"#,
                "Bad Request: chat ••• not found for •••, •••"
            ),
            (
                "slack", PostRoom.slack, #"{"to":"C042","text":"secret words"}"#, 200,
                #"{"ok":false,"error":"channel_not_found"}"#, "channel_not_found"
            ),
            (
                "sendgrid", #"{"api_key":"SG.0123456789abcdef","from_email":"shop@acme.example"}"#,
                #"{"to":"ana@example.org","subject":"Hi there","text":"secret words"}"#, 400,
                #"{"errors":[{"message":"The from address does not match a verified Sender Identity.","field":"from"}]}"#,
                "The from address does not match a verified Sender Identity."
            ),
        ])
    func refused(provider: String, setup: String, sent: String, status: Int, answer: String, words: String) throws {
        let post = try PostRoom(StandIn.json(status, answer))
        let id = try post.connect(provider, setup)
        let (response, body) = try post.send(id, sent)
        #expect(response.status == 422 && body["code"] == "message_refused")
        #expect(body["detail"]?.text?.contains("It said: “\(words)”") == true, "\(body)")
        let text = try response.text()
        #expect(!text.contains("secret words") && !text.contains(Office.token))
        #expect(post.service.requests.count == 1)
    }

    @Test("An address that is none of the service's hosts is not stored, and not called when it stands there")
    func foreignHost() throws {
        let post = try PostRoom(StandIn.json(200, "{}"))
        let key = "223704706495545344/3d89bb75"
        let provider = try #require(post.room.catalogue["discord"])
        for url in [
            "https://evil.example/api/webhooks/\(key)", "http://discord.com/api/webhooks/\(key)",
            "https://discord.com.evil.example/api/webhooks/\(key)", "https://discord.com:8443/api/webhooks/\(key)",
        ] {
            #expect(try post.asked("discord", #"{"webhook_url":"\#(url)"}"#).status == 422)
            #expect(throws: DeliveryFailure.self) { try DiscordChat(provider, ["webhook_url": url]) }
        }
        #expect(post.service.requests.isEmpty)
    }
}

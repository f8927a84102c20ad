"""Sending: through nginx, the hub and its queue, to a real mail server and to stand-ins of the other services."""

import email
import email.policy
import json
import os
import signal
import uuid

import pytest
from aiosmtpd.controller import Controller

from house import House, free_port, until
from standins import JSON, SENDGRID, SMTP_USER, TELEGRAM_TOKEN, TWILIO_SID, TWILIO_TOKEN, Service
from test_connections import sign_in

HOOK = "https://discord.com/api/webhooks/223704706495545344/never-to-be-seen"


class Post:
    """A mail server that takes every mail and reads it with Python's own email package."""

    def __init__(self):
        self.mails, self.refusal = [], None
        post = self

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                if post.refusal:
                    return post.refusal
                mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
                post.mails.append((envelope.mail_from, envelope.rcpt_tos, mail))
                return "250 2.0.0 queued as 4F8B1"

        self.port = free_port()
        self.controller = Controller(Handler(), hostname="127.0.0.1", port=self.port)
        self.controller.start()

    @property
    def setup(self):
        return {"host": "127.0.0.1", "port": str(self.port), "security": "none", "from_email": SMTP_USER}


class Chats:
    """The services that take messages over HTTP: what they were sent, and what they answer."""

    def __init__(self):
        self.scripted, self.sent = [], []
        self.services = {
            origin: Service([origin], self.answer) for origin in (
                "https://api.telegram.org", "https://api.twilio.com", "https://api.sendgrid.com", "https://slack.com",
                "https://discord.com", "https://www.googleapis.com")}

    def answer(self, request, body):
        if request.command != "POST":
            return 200, {"ok": True, "result": {"id": 1, "username": "bot"}}, JSON
        self.sent.append((request.path, dict(request.headers), body))
        if self.scripted:
            return self.scripted.pop(0)
        number = str(len(self.sent))
        if "sendMessage" in request.path:
            return 200, {"ok": True, "result": {"message_id": int(number)}}, JSON
        if "calendars" in request.path:
            return 200, {"id": json.loads(body)["id"]}, JSON
        return 200, {"ok": True, "ts": number, "id": number, "sid": "SM" + number}, JSON

    def stop(self):
        for service in self.services.values():
            service.stop()


@pytest.fixture(scope="module")
def post():
    made = Post()
    yield made
    made.controller.stop()


@pytest.fixture(scope="module")
def chats():
    made = Chats()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def office(database_template, chats, standins, tmp_path_factory):
    folder = tmp_path_factory.mktemp("messages")
    (folder / "chats.json").write_text(json.dumps({origin: s.url for origin, s in chats.services.items()}))
    made = House(folder, settings={"HUB_ORIGIN_MAP": folder / "chats.json", "HUB_ALLOW_NETWORKS": "127.0.0.0/8"})
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def api(office, chats):
    chats.scripted.clear()
    chats.sent.clear()
    return office.api()


def connect(api, provider, setup):
    return api.create(provider, setup, name="m" + uuid.uuid4().hex[:12])["id"]


def finished(api, message):
    def look():
        one = api.get(f"/messages/{message}").json()
        return one if one["status"] in ("sent", "failed", "unknown") else None
    return until(look, 30, "the end of the message")


SUBJECT = "Größere Bestellung № 7 – vielen Dank für Ihr Vertrauen, liebe Kundinnen und Kunden in Ljubljana 😀"
TEXT = "Grüß Gott,\n\n.ein Punkt am Anfang\n..zwei\nFrom hier = dort \nEnde"


def test_a_mail_arrives_as_it_was_written(api, post):
    connection = connect(api, "smtp", post.setup)
    html = "<p>Grüß <b>Gott</b></p>\n.<br>"
    answer = api.post(f"/connections/{connection}/messages?wait=true",
                      {"to": "ana@example.org", "subject": SUBJECT, "text": TEXT, "html": html})
    assert answer.status_code == 201, answer.text
    sender, recipients, mail = post.mails[-1]
    assert (sender, recipients) == (SMTP_USER, ["ana@example.org"])
    assert mail["Subject"] == SUBJECT and mail["From"] == SMTP_USER and mail["To"] == "ana@example.org"
    assert mail["Message-ID"] == answer.json()["provider_id"] and not mail.defects
    assert mail["Date"].datetime.utcoffset().total_seconds() == 0
    plain, rich = (mail.get_body((kind,)).get_content().replace("\r\n", "\n").rstrip("\n") for kind in ("plain", "html"))
    assert (plain, rich) == (TEXT, html)


def test_a_mail_goes_through_the_queue_to_the_default_recipient(api, post):
    connection = connect(api, "smtp", {**post.setup, "to_email": "bo@example.org"})
    answer = api.post(f"/connections/{connection}/messages", {"subject": "Hi", "text": "From the queue"})
    assert answer.status_code == 202 and answer.json()["status"] in ("queued", "sending"), answer.text
    one = finished(api, answer.json()["id"])
    assert one["status"] == "sent" and one["to"] == "bo•••@example.org", one
    assert post.mails[-1][1] == ["bo@example.org"]
    assert post.mails[-1][2].get_content().strip() == "From the queue"


@pytest.mark.parametrize("reply, status, word", [
    ("554 5.7.1 looks like spam", 422, "message_refused"), ("451 4.3.0 try later", 502, "unavailable")])
def test_a_mail_server_that_refuses_is_told_apart(api, post, reply, status, word):
    connection = connect(api, "smtp", post.setup)
    post.refusal = reply
    try:
        answer = api.post(f"/connections/{connection}/messages?wait=true",
                          {"to": "ana@example.org", "subject": "Hi", "text": "x"})
    finally:
        post.refusal = None
    assert (answer.status_code, answer.json()["code"]) == (status, word), answer.text


@pytest.mark.parametrize("field", ["to", "subject"])
def test_a_line_break_in_a_header_is_refused(api, post, field):
    connection = connect(api, "smtp", post.setup)
    count = len(post.mails)
    body = {"to": "ana@example.org", "subject": "Hi", "text": "x"}
    body[field] += "\r\nBcc: eve@evil.example"
    answer = api.post(f"/connections/{connection}/messages?wait=true", body)
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/" + field
    assert len(post.mails) == count


WAYS = {
    "telegram": ({"bot_token": TELEGRAM_TOKEN}, {"to": 42}, lambda b: json.loads(b)["text"]),
    "whatsapp": (
        {"account_sid": TWILIO_SID, "auth_token": TWILIO_TOKEN, "from_whatsapp": "+14155238886"},
        {"to": "+15005550006"}, lambda b: b.decode().split("Body=")[1].replace("%20", " ")),
    "sendgrid": (SENDGRID, {"to": "a@example.org", "subject": "s"}, lambda b: json.loads(b)["content"][0]["value"]),
    "slack": ({"bot_token": "xoxb-never-to-be-seen"}, {"to": "C0123456789"}, lambda b: json.loads(b)["text"]),
    "discord": ({"webhook_url": HOOK}, {}, lambda b: json.loads(b)["content"]),
}


@pytest.mark.parametrize("provider", WAYS)
def test_each_service_gets_the_message_once(api, chats, office, provider):
    setup, more, read = WAYS[provider]
    connection = connect(api, provider, setup)
    key = uuid.uuid4().hex
    headers = {"Idempotency-Key": key}
    body = {**more, "text": "Hello there"}
    first = api.post(f"/connections/{connection}/messages?wait=true", body, headers=headers)
    again = api.post(f"/connections/{connection}/messages?wait=true", body, headers=headers)
    assert first.status_code == again.status_code == 201, first.text
    assert first.json() == again.json() and again.headers["Idempotent-Replayed"] == "true"
    assert len(chats.sent) == 1 and read(chats.sent[0][2]) == "Hello there"
    for secret in (TELEGRAM_TOKEN, TWILIO_TOKEN, SENDGRID["api_key"], "never-to-be-seen"):
        assert secret not in office.log_text() and secret not in first.text


def test_a_busy_service_is_tried_again_and_the_message_sent_once(api, chats):
    connection = connect(api, "telegram", {"bot_token": TELEGRAM_TOKEN, "chat_id": "42"})
    chats.scripted = [(429, {"ok": False, "error_code": 429, "parameters": {"retry_after": 1}}, JSON)]
    message = api.post(f"/connections/{connection}/messages", {"text": "Patience"}).json()["id"]
    until(lambda: api.get(f"/messages/{message}").json()["attempts"] == 1, 15, "the first attempt")
    one = finished(api, message)
    assert one["status"] == "sent" and one["attempts"] == 2 and len(chats.sent) == 2
    actions = [entry["action"] for entry in api.get("/audit-log?limit=5").json()["data"]]
    assert "message.sent" in actions


def test_an_event_reaches_the_calendar_under_an_id_of_ours(api, chats):
    connection = connect(api, "google_calendar", {"token": "ya29.never-to-be-seen-0123456789"})
    body = {"summary": "Plan", "start": "2026-11-21T10:00:00+01:00", "end": "2026-11-21T11:00:00+01:00",
            "attendees": ["ana@example.org"]}
    answer = api.post(f"/connections/{connection}/calendar-events?wait=true", body)
    assert answer.status_code == 201, answer.text
    path, headers, sent = chats.sent[-1]
    sent = json.loads(sent)
    assert path == "/calendar/v3/calendars/primary/events?sendUpdates=all"
    assert sent["id"] == answer.json()["id"].replace("-", "") == answer.json()["provider_id"]
    assert sent["attendees"] == [{"email": "ana@example.org"}]


def test_a_key_without_the_right_may_not_send(api, office):
    connection = connect(api, "telegram", {"bot_token": TELEGRAM_TOKEN, "chat_id": "42"})
    reader = office.api(office.create_key("messages:read", "connections:*"))
    assert reader.post(f"/connections/{connection}/messages", {"text": "x"}).status_code == 403
    assert reader.get(f"/connections/{connection}/messages").json() == {"data": [], "next_cursor": None}
    sender = office.api(office.create_key("messages:write"))
    assert sender.post(f"/connections/{connection}/messages", {"text": "x"}).status_code == 202


def test_a_person_sends_from_the_page_and_keeps_what_they_typed_when_it_fails(api, chats, office, browser):
    connection = connect(api, "telegram", {"bot_token": TELEGRAM_TOKEN, "chat_id": "4711471147"})
    sign_in(browser, office)
    browser.open(office.url(f"/connections/{connection}")).press("send a message")
    browser.wait(lambda: browser.driver.find_elements("name", "text"))
    chats.scripted = [(400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}, JSON)]
    browser.fill(text="Words that must not be lost").press("send message")
    browser.wait_text("chat not found")
    assert browser.driver.find_element("name", "text").get_attribute("value") == "Words that must not be lost"
    browser.console()  # which calls the refused form's 422 an error
    browser.press("send message")
    browser.wait_text("Telegram took it")
    assert json.loads(chats.sent[-1][2])["text"] == "Words that must not be lost"
    browser.wait_text("471•••47")
    assert "Words that must not be lost" not in browser.driver.page_source
    assert not browser.axe() and browser.overflow() <= 0 and not browser.console()
    browser.resize("narrow")
    assert browser.overflow() <= 0
    assert [entry["status"] for entry in api.get(f"/connections/{connection}/messages").json()["data"]] == ["sent", "failed"]


def test_a_worker_killed_while_it_sends_leaves_a_message_that_is_not_sent_twice(api, chats, office):
    connection = connect(api, "telegram", {"bot_token": TELEGRAM_TOKEN, "chat_id": "42"})
    service = chats.services["https://api.telegram.org"]

    def calls():
        return sum(b"Only once" in body for _, _, _, body in service.requests)

    service.delay = 3.0
    try:
        message = api.post(f"/connections/{connection}/messages", {"text": "Only once"}).json()["id"]
        until(lambda: calls() == 1, 15, "the call")
        assert api.get(f"/messages/{message}").json()["status"] == "sending"
        [worker] = [pid for pid, command in office.children() if command[1:2] == ["work"]]
        os.kill(worker, signal.SIGKILL)
    finally:
        service.delay = 0.0

    def is_over():
        # The lease ends now: nobody waits a minute and a half for that here.
        office.database.query("UPDATE outgoing_messages SET lease_until = UTC_TIMESTAMP(6) WHERE status = 'sending'")
        office.database.query("UPDATE jobs SET lease_until = UTC_TIMESTAMP(6) WHERE kind = 'connections.message'")
        office.database.query("UPDATE jobs SET run_at = UTC_TIMESTAMP(6) WHERE kind LIKE 'connections.message%'")
        return api.get(f"/messages/{message}").json()["status"] != "sending"

    until(is_over, 60, "the end of the message")
    one = api.get(f"/messages/{message}").json()
    assert one["status"] == "unknown" and one["error"]["code"] == "outcome_unknown", one
    assert calls() == 1

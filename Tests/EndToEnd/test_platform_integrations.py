"""Chat platforms: every example of their document replayed with curl, and what the document does not show."""

import hashlib
import hmac
import json
import re
import shlex
import subprocess
import threading
import time
import uuid

import pytest
import requests

from house import House, until
from platform_examples import EXAMPLES
from standins import JSON, Service

SERVER = "9876543210987654321"
DISCORD_TOKEN, SLACK_TOKEN = "discord.token.never-to-be-seen", "xoxb-xxxxxxxxxxxx-xxxxxxxxxxxx"
SYNCED = json.loads(EXAMPLES["POST /api/v2/platform-integrations/:id/sync-channels"][2])["channels"]


def discord(request, body):
    """Discord as far as the hub asks: itself, its servers, their channels, a message."""
    if request.headers.get("Authorization") != f"Bot {DISCORD_TOKEN}":
        return 401, {"message": "401: Unauthorized", "code": 0}, JSON
    path = request.path.split("?")[0]
    if path == "/api/v10/users/@me":
        return 200, {"id": "1098765432109876543", "username": "hub", "bot": True}, JSON
    if path == "/api/v10/users/@me/guilds":
        return 200, [{"id": SERVER, "name": "Acme"}], JSON
    if path == f"/api/v10/guilds/{SERVER}/channels":
        listed = [{"id": one["id"], "name": one["name"], "type": 0, "topic": one["topic"], "guild_id": SERVER}
                  for one in SYNCED]
        return 200, [{"id": "1", "name": "Text", "type": 4}, *listed], JSON
    if path.endswith("/messages") and request.command == "POST":
        return 200, {"id": "5555555555555555555", "content": json.loads(body)["content"]}, JSON
    return 404, {"message": "Unknown", "code": 10003}, JSON


def slack(request, _):
    if request.headers.get("Authorization") != f"Bearer {SLACK_TOKEN}":
        return 200, {"ok": False, "error": "invalid_auth"}, JSON
    if request.path.startswith("/api/auth.test"):
        return 200, {"ok": True, "user_id": "U0123", "bot_id": "B0123", "team_id": "T0123456789"}, JSON
    if request.path.startswith("/api/conversations.list"):
        return 200, {"ok": True, "channels": [{"id": "C1", "name": "general", "is_private": False}]}, JSON
    return 200, {"ok": False, "error": "unknown_method"}, JSON


@pytest.fixture(scope="module")
def platforms():
    made = [Service(["https://discord.com"], discord), Service(["https://slack.com"], slack)]
    yield made
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def house(database_template, standins, platforms, tmp_path_factory):
    """A house of its own with four workers, which reaches stand-ins for the platforms."""
    folder = tmp_path_factory.mktemp("platforms")
    # Whether a key still opens anything must not be hidden by the limit on guesses.
    settings = {**standins.settings(folder), "HUB_GUESSES_PER_MINUTE": 1_000_000}
    origins = standins.origin_map() | {origin: one.url for one in platforms for origin in one.origins}
    (folder / "origins.json").write_text(json.dumps(origins))
    made = House(folder, workers=4, settings=settings)
    try:
        yield made.start()
    finally:
        made.stop()


def curl(house, key, command, replacements):
    """Runs a command of the document against this hub, its ids replaced."""
    text = command.replace("https://api.lvng.ai", house.url()).replace("YOUR_API_KEY", key)
    for old, new in replacements.items():
        text = text.replace(old, new)
    done = subprocess.run(
        [*shlex.split(text.replace("\\\n", " ")), "-sS", "--noproxy", "*", "-w", "\n%{http_code}"],
        capture_output=True, text=True, check=True, timeout=60)
    answer, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(answer)


UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SHAPES = [rf"{UUID}", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", r"lvng_plat_[0-9a-f]{48}", r"\d{19}"]


def differences(expected, got, place="", known=None):
    """What differs from the document: names and their order, kinds, and every value that is not an id, a time or a key.

    `known` are shapes for the places at which the document itself says two things."""
    known = known or {}
    if place in known:
        return [] if re.fullmatch(known[place], json.dumps(got)) else [f"{place}: {got!r}"]
    if isinstance(expected, dict) and isinstance(got, dict):
        if list(expected) != list(got):
            return [f"{place}: {list(got)} instead of {list(expected)}"]
        return [text for name in expected for text in differences(expected[name], got[name], f"{place}/{name}", known)]
    if isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return [f"{place}: {len(got)} instead of {len(expected)}"]
        return [text for number, pair in enumerate(zip(expected, got))
                for text in differences(*pair, f"{place}/{number}", known)]
    for shape in SHAPES:
        if isinstance(expected, str) and re.fullmatch(shape, expected):
            return [] if isinstance(got, str) and re.fullmatch(shape, got) else [f"{place}: {got!r}"]
    return [] if expected == got and type(expected) is type(got) else [f"{place}: {got!r} instead of {expected!r}"]


def test_a_difference_is_found_wherever_it_is():
    """The comparison itself: it must not be blind."""
    one = {"id": str(uuid.UUID(int=1)), "at": "2026-03-19T09:00:00.000Z", "n": [None, True, "x"]}
    assert differences(one, {**one, "id": str(uuid.uuid4())}) == []
    for other in ({**one, "id": "7"}, {**one, "at": "2026-03-19"}, {**one, "n": [None, True]}, {**one, "n": [0, True, "x"]},
                  {**one, "more": 1}, dict(reversed(one.items())), {**one, "n": [None, 1, "x"]}, {**one, "at": None}):
        assert differences(one, other) != []


def test_every_example_of_the_document_gives_what_it_shows(house):
    key = house.create_key("admin:*", name="document")
    api = house.api()
    workspace = api.post("/workspaces", {"name": "Chat"}).json()["id"]
    ids = {"d4e5f6a7-b8c9-0d1e-2f3a-4b5c6d7e8f90": workspace}

    def replay(head, known=None):
        command, status, answer = EXAMPLES[head]
        got_status, got = curl(house, key, command, ids)
        assert got_status == status, (head, got)
        assert differences(json.loads(answer), got, known=known) == [], head
        return got

    base = "/api/v2/platform-integrations"
    # The document's first integration is Discord's and was there before; it is made in the same way.
    made = curl(house, key, EXAMPLES[f"POST {base}"][0], ids | {
        '"platform": "slack"': '"platform": "discord"', SLACK_TOKEN: DISCORD_TOKEN, '"team_id": "T0123456789"':
        f'"guild_id": "{SERVER}"'})
    assert made[0] == 201, made
    ids["a1b2c3d4-e5f6-7890-abcd-ef1234567890"] = made[1]["integration"]["id"]
    # The document says that the secret is made, and shows null: it is shown once, in this very answer.
    once = {"/integration/webhook_secret": r'"whsec_[A-Za-z0-9+/]{43}="'}
    ids["c3d4e5f6-a7b8-9012-cdef-123456789012"] = replay(f"POST {base}", once)["integration"]["id"]
    replay(f"POST {base}/:id/test")
    # The document's list shows both connected.
    slack_test = EXAMPLES[f"POST {base}/:id/test"][0].replace(
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "c3d4e5f6-a7b8-9012-cdef-123456789012")
    assert curl(house, key, slack_test, ids) == (200, {"success": True})
    replay(f"GET {base}")
    replay(f"GET {base}/:id")
    synced = replay(f"POST {base}/:id/sync-channels")
    assert synced["channels"] == SYNCED, "the ids, too, are the platform's own"
    status, listed = curl(house, key, EXAMPLES[f"GET {base}/:id/channels"][0], ids)
    names = [one["channel_name"] for one in listed["channels"]]
    assert status == 200 and names == sorted(one["name"] for one in SYNCED) and list(listed) == ["channels"]
    shown = json.loads(EXAMPLES[f"GET {base}/:id/channels"][2])["channels"][0]
    engineering = listed["channels"][names.index("engineering")]
    assert differences(shown, engineering) == []
    assert engineering["integration_id"] == ids["a1b2c3d4-e5f6-7890-abcd-ef1234567890"]
    ids["7b8c9d0e-1f2a-3b4c-5d6e-7f8a9b0c1d2e"] = engineering["id"]
    patched = replay(f"PATCH {base}/channels/:channelId")
    assert patched["channel"]["lvng_conversation_id"] == "e5f6a7b8-c9d0-1e2f-3a4b-5c6d7e8f9a0b"
    # After its test the integration is connected, which the document's example of a change is not.
    changed = replay(f"PATCH {base}/:id", {"/integration/connected": "true"})
    assert changed["integration"]["enabled"] is False
    replay(f"POST {base}/:id/api-key")
    replay(f"DELETE {base}/:id/api-key")
    replay(f"DELETE {base}/:id")
    status, _ = curl(house, key, EXAMPLES[f"GET {base}/:id"][0], {
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890": ids["c3d4e5f6-a7b8-9012-cdef-123456789012"]})
    assert status == 404
    # Nothing that was typed is readable in what the database holds, or in the log.
    for secret in (DISCORD_TOKEN, SLACK_TOKEN):
        assert secret.encode() not in house.dump() and secret not in house.log_text()


def published(house, kind):
    """What the events of a kind say, the newest first."""
    listed = house.api().get(f"/events?type={kind}").json()["data"]
    return [house.api().get(f"/events/{event['id']}").json()["payload"]["data"] for event in listed]


class V2:
    """The interface of platforms with a key, each answer one that the API's description promises."""

    def __init__(self, house, key=None):
        self.api = house.api(key)

    def __call__(self, method, path="", body=None, **options):
        path = "/api/v2/platform-integrations" + path
        answer = self.api.session.request(
            method, self.api.house.url(path), json=body, timeout=30, allow_redirects=False, **options)
        self.api.house.description().check(method, path, answer)
        return answer


@pytest.fixture
def furnished(house):
    """A workspace with Discord and its channels."""
    v2 = V2(house)
    workspace = house.api().post("/workspaces", {"name": f"W {uuid.uuid4()}"}).json()["id"]
    made = v2("POST", "", {"workspace_id": workspace, "platform": "discord", "config": {"bot_token": DISCORD_TOKEN}})
    assert made.status_code == 201, made.text
    one = made.json()["integration"]["id"]
    assert v2("POST", f"/{one}/sync-channels").status_code == 200
    yield v2, workspace, one
    v2("DELETE", f"/{one}")
    house.api().delete(f"/workspaces/{workspace}")


def test_what_the_document_says_in_words(house, furnished):
    v2, workspace, one = furnished
    again = v2("POST", "", {"workspace_id": workspace, "platform": "discord"})
    assert again.status_code == 409 and again.json()["code"] == "integration_exists"
    assert v2("POST", "", {"workspace_id": workspace, "platform": "irc"}).status_code == 422
    assert v2("POST", "", {"workspace_id": str(uuid.uuid4()), "platform": "slack"}).status_code == 404
    for path in (f"/{uuid.uuid4()}", "/channels-of-nobody"):
        assert v2.api.session.get(house.url("/api/v2/platform-integrations" + path)).status_code == 404
    channels = v2("GET", f"/{one}/channels").json()["channels"]
    sent = v2("POST", f"/{one}/channels/{channels[0]['id']}/messages", {"text": "Order 7 is paid."})
    assert sent.status_code == 201 and sent.json()["message"]["platform_message_id"] == "5555555555555555555"
    told = until(lambda: [data for data in published(house, "channel.message_sent")
                          if data["message_id"] == sent.json()["message"]["id"]], what="the event")
    assert told[0]["channel_id"] == channels[0]["id"]
    # A workspace that is in use stays.
    assert house.api().delete(f"/workspaces/{workspace}").status_code == 409


def test_a_repeated_message_is_posted_once(house, furnished, platforms):
    v2, _, one = furnished
    channel = v2("GET", f"/{one}/channels").json()["channels"][0]["id"]
    before = len([asked for asked in platforms[0].requests if asked[1].endswith("/messages")])
    answers = [v2("POST", f"/{one}/channels/{channel}/messages", {"text": "Once."}, headers={"Idempotency-Key": "one-7"})
               for _ in range(3)]
    assert len({answer.text for answer in answers}) == 1 and answers[2].headers["Idempotent-Replayed"] == "true"
    assert len([asked for asked in platforms[0].requests if asked[1].endswith("/messages")]) == before + 1


def test_a_platform_key_opens_its_own_integration_and_nothing_else(house, furnished):
    v2, workspace, one = furnished
    other = v2("POST", "", {"workspace_id": workspace, "platform": "slack", "config": {"bot_token": SLACK_TOKEN}})
    other = other.json()["integration"]["id"]
    key = v2("POST", f"/{one}/api-key").json()["api_key"]
    mine = V2(house, key)
    shown = mine("GET", f"/{one}")
    assert shown.status_code == 200 and shown.headers["RateLimit"]
    assert [each["id"] for each in mine("GET").json()["integrations"]] == [one]
    assert mine("GET", f"/{other}").status_code == 404
    assert mine("PATCH", f"/{one}", {"enabled": False}).status_code == 403
    for path in ("/connections", "/webhooks", "/api-keys", "/organization", "/audit-log", "/workspaces"):
        refused = mine.api.get(path)
        assert refused.status_code == 403 and refused.json()["code"] == "insufficient_scope", path
    assert key.encode() not in house.dump() and key not in house.log_text()
    # The next one takes its place at once, and what is none is told as one that ended.
    second = v2("POST", f"/{one}/api-key").json()["api_key"]
    assert V2(house, key)("GET", f"/{one}").status_code == 401
    assert V2(house, second)("GET", f"/{one}").status_code == 200
    assert V2(house, "lvng_plat_" + "0" * 48)("GET", f"/{one}").status_code == 401
    v2("DELETE", f"/{other}")


def test_a_key_that_is_revoked_under_load_is_refused_from_the_next_request_on_in_every_worker(house, furnished):
    v2, _, one = furnished
    assert len(house.workers()) == 4
    for _ in range(3):
        key = v2("POST", f"/{one}/api-key").json()["api_key"]
        seen, ended, stop = [], [None], threading.Event()

        def ask():
            mine = house.api(key)
            while not stop.is_set():
                began = time.monotonic()
                status = mine.session.get(house.url(f"/api/v2/platform-integrations/{one}"), timeout=30).status_code
                seen.append((began, status))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(seen) > 200, what="some load")
            assert v2("DELETE", f"/{one}/api-key").status_code == 200
            ended[0] = time.monotonic()
            until(lambda: len([began for began, _ in seen if began > ended[0]]) > 200, what="load after the end")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        after = [status for began, status in seen if began > ended[0]]
        before = [status for began, status in seen if began <= ended[0]]
        assert 200 in before and set(after) == {401}, (set(before), set(after))


def test_a_changed_configuration_is_used_by_every_worker_from_the_next_call_on(house, furnished, platforms):
    v2, _, one = furnished
    for _ in range(20):
        assert v2("POST", f"/{one}/test").json() == {"success": True}
    for token, works in (("wrong.token.here", False), (DISCORD_TOKEN, True)):
        assert v2("PATCH", f"/{one}", {"config": {"bot_token": token}}).status_code == 200
        asked = len(platforms[0].requests)
        answers = {v2("POST", f"/{one}/test").json()["success"] for _ in range(40)}
        assert answers == {works}
        sent = {headers["Authorization"] for _, _, headers, _ in platforms[0].requests[asked:]}
        assert sent == {f"Bot {token}"}


def inbound_path(v2, one):
    """Where an integration's platform sends to, below the mount."""
    return "/inbound/" + v2("GET", f"/{one}/inbound").json()["inbound"]["url"].rpartition("/")[2]


def test_graph_is_answered_and_known_by_what_it_was_told_until_that_is_replaced(house, furnished):
    v2, workspace, _ = furnished
    made = v2("POST", "", {"workspace_id": workspace, "platform": "microsoft_teams"}).json()["integration"]
    one, first = made["id"], made["webhook_secret"]
    path = inbound_path(v2, one)
    asked = requests.post(house.url(path) + "?validationToken=Validation%3a+Testing+7", timeout=30, headers={
        "Content-Type": "text/plain; charset=utf-8"})
    assert (asked.status_code, asked.text) == (200, "Validation: Testing 7")
    assert asked.headers["Content-Type"].startswith("text/plain")

    def send(state, path=path):
        return requests.post(house.url(path), timeout=30, json={"value": [{
            "changeType": "created", "resource": "teams('t')/channels('c')/messages('1')", "clientState": state}]}).status_code

    assert (send(first), send("another")) == (200, 401)
    rotated = v2("POST", f"/{one}/rotate", {"address": True, "webhook_secret": True}).json()["inbound"]
    second, new = rotated["webhook_secret"], inbound_path(v2, one)
    assert second != first and new != path and rotated["previous_url_ends_at"]
    assert {send(state, there) for state in (first, second) for there in (path, new)} == {200}
    ended = v2("POST", f"/{one}/rotate", {"address": True, "webhook_secret": True, "grace_seconds": 0}).json()["inbound"]
    last = inbound_path(v2, one)
    assert send(ended["webhook_secret"], last) == 200
    assert {send(second, last), send(ended["webhook_secret"], new), send(ended["webhook_secret"], path)} == {401}
    for secret in (first, second, ended["webhook_secret"]):
        assert secret.encode() not in house.dump() and secret not in house.log_text()
    v2("DELETE", f"/{one}")


def test_what_people_write_in_a_channel_becomes_an_event_and_what_the_hub_wrote_does_not(house, furnished):
    v2, workspace, _ = furnished
    secret = "8f742231b10e8888abcd99baac2bcd1e"
    made = v2("POST", "", {"workspace_id": workspace, "platform": "slack", "config": {
        "bot_token": SLACK_TOKEN, "signing_secret": secret}})
    one = made.json()["integration"]["id"]
    assert v2("POST", f"/{one}/sync-channels").json()["channelCount"] == 1
    channel = v2("GET", f"/{one}/channels").json()["channels"][0]["id"]
    v2("PATCH", f"/channels/{channel}", {"sync_direction": "both"})
    path = inbound_path(v2, one)

    def send(stamp, text, key=secret, **more):
        event = {"type": "message", "channel": "C1", "user": "UANA", "text": text, "ts": stamp, **more}
        body = json.dumps({"type": "event_callback", "event_id": f"Ev{stamp}", "api_app_id": "A1", "event": event})
        now = str(int(time.time()))
        digest = hmac.new(key.encode(), f"v0:{now}:{body}".encode(), hashlib.sha256).hexdigest()
        return requests.post(house.url(path), data=body, timeout=30, headers={
            "Content-Type": "application/json", "X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={digest}"})

    def heard():
        return [data for data in published(house, "channel.message_received") if data["integration_id"] == one]

    assert send("1763719200.000100", "mine", bot_id="B0123").status_code == 200
    assert send("1763719200.000200", "forged", key="another secret").status_code == 401
    for _ in range(2):
        assert send("1763719200.000300", "Is anybody there?").status_code == 200
    told = until(heard, what="the event")
    until(lambda: len(house.api().get("/events?type=inbound.slack.message").json()["data"]) == 2, what="both events")
    assert [(event["text"], event["channel_id"], event["author"]["id"]) for event in told] == [
        ("Is anybody there?", channel, "UANA")]
    assert len(heard()) == 1
    # Whoever set it up wrongly sees what was refused, and why.
    refused = house.api().get(f"/inbound-sources/{one}/refusals").json()["data"]
    assert [each["reason"] for each in refused] == ["wrong_signature"]
    shown = house.api().get(f"/inbound-refusals/{refused[0]['id']}").json()
    assert shown["source_id"] == one and "forged" in shown["body"]
    v2("DELETE", f"/{one}")
    assert send("1763719200.000400", "too late").status_code in (401, 404)

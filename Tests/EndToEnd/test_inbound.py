"""Webhooks of other services: proved by their own packages, stored before they are answered, never lost."""

import base64
import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import signal
import threading
import time
import urllib.parse

import pytest
import requests

from house import freeze, until
from inbound import AGING, SERVICES, Discord, GitHub, Slack, send, source
from publishing import SETTINGS, background, subscribe
from receiver import Answer, receiving

# `HUB_TEST_INBOUND=20000` is the long form.
EVENTS = int(os.environ.get("HUB_TEST_INBOUND", "600"))


def events(api, **query):
    answer = api.get("/inbound-events?" + urllib.parse.urlencode({"limit": 200, **query}))
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def set_up(api, kind):
    """A source of a service, and the service that knows its address."""
    service = kind()
    made = source(api, service.provider, secret=service.secret)
    if hasattr(service, "url"):
        service.url = made["url"]
    return made, service


@pytest.mark.parametrize("kind", SERVICES, ids=lambda kind: kind.__name__)
def test_what_a_services_own_package_signs_is_taken_and_nothing_else(api, kind):
    made, service = set_up(api, kind)
    body = service.body()
    headers = service.sign(body)
    answer = send(made["url"], body.encode(), headers)
    assert answer.status_code == 200, answer.text
    assert "Set-Cookie" not in answer.headers and "Location" not in answer.headers
    [event] = until(lambda: [one for one in events(api, source_id=made["id"]) if one["state"] == "published"], 60)
    assert event["verdict"] == {"verified": True, "scheme": made["scheme"], "key": "current"}
    shown = api.get(f"/inbound-events/{event['id']}").json()
    assert shown["body"] == body

    def refused(body, headers, *codes):
        answer = send(made["url"], body, headers)
        assert answer.status_code == 401, (answer.status_code, headers)
        assert "detail" in answer.json() and service.secret not in answer.text
        # The sender learns no more; the owner is told why.
        asked = {"headers": headers, "body_base64": base64.b64encode(body).decode()}
        told = api.post(f"/inbound-sources/{made['id']}/debug", asked).json()
        assert told["verdict"] == "refused" and told["code"] in codes, (told, headers)

    # One byte of the body, one header, the clock.
    raw = body.encode()
    for place in range(0, len(raw), 7):
        changed = bytearray(raw)
        changed[place] ^= 1
        refused(bytes(changed), headers, "wrong_signature")
    signs = [name for name in headers if name.lower() not in ("content-type", "x-github-delivery", "x-github-event")]
    for name in signs:
        refused(raw, {other: value for other, value in headers.items() if other != name}, "header_missing")
        refused(raw, {**headers, name: headers[name][:-2]}, "wrong_encoding", "wrong_signature", "timestamp_too_old")
    if kind.__name__ in AGING:
        for off, code in (-360, "timestamp_too_old"), (360, "timestamp_ahead"):
            refused(raw, service.sign(body, at=time.time() + off), code)
        for off in (-280, 280):
            assert send(made["url"], body.encode(), service.sign(body, at=time.time() + off)).status_code == 200
    reasons = api.get(f"/inbound-sources/{made['id']}/refusals?limit=50").json()["data"]
    assert reasons, "the latest are kept, with the check that they did not pass"
    assert len(events(api, source_id=made["id"])) == 1, "what came again is the same event"
    assert events(api, type="é") == [], "no service sends such a kind"


def test_an_unknown_address_a_closed_source_and_a_wrong_signature_look_alike(house):
    api = house.api()
    closed, open_ = source(api, "stripe"), source(api, "slack", secret=Slack.secret)
    seen = set()
    for url in (closed["url"], open_["url"], open_["url"][:-12] + "000000000000"):
        answer = send(url, b"{}", {"X-Slack-Signature": "v0=00"})
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in ("date", "x-request-id")}
        body = {name: value for name, value in answer.json().items() if name != "request_id"}
        seen.add((answer.status_code, json.dumps(kept), json.dumps(body)))
    assert len(seen) == 1 and next(iter(seen))[0] == 401, seen
    assert requests.get(open_["url"], timeout=30).status_code == 401
    assert requests.put(open_["url"], timeout=30).status_code == 405
    assert api.get(f"/inbound-sources/{closed['id']}").json()["state"] == "closed"


def test_a_header_that_came_twice_is_refused(house):
    made, service = set_up(house.api(), Slack)
    body = service.body("Ev-twice")
    headers = service.sign(body)
    url = urllib.parse.urlsplit(made["url"])
    for doubled in ("X-Slack-Signature", "X-Slack-Request-Timestamp", None):
        client = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        client.putrequest("POST", url.path)
        for name, value in headers.items():
            for _ in range(2 if name == doubled else 1):
                client.putheader(name, value)
        client.putheader("Content-Length", str(len(body.encode())))
        client.endheaders(body.encode())
        assert client.getresponse().status == (401 if doubled else 200)
        client.close()


def test_hand_shakes_are_answered(house):
    api = house.api()
    made, service = set_up(api, Slack)
    body = json.dumps({"type": "url_verification", "challenge": "abc"})
    assert send(made["url"], body, service.sign(body)).json() == {"challenge": "abc"}
    made, service = set_up(api, Discord)
    ping = json.dumps({"id": "1", "type": 1, "token": "t"})
    assert send(made["url"], ping, service.sign(ping)).json() == {"type": 1}
    probe = {**service.sign(ping), "X-Signature-Ed25519": "0" * 128}
    assert send(made["url"], ping, probe).status_code == 401
    meta = source(api, "instagram", secret="app secret")
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": meta["verify_token"]}
    answer = requests.get(meta["url"], params=query, timeout=30)
    assert answer.status_code == 200 and answer.text == "1158201444"
    assert requests.get(meta["url"], params={**query, "hub.verify_token": "x"}, timeout=30).status_code == 401


def test_sizes_are_limited_by_the_source_and_by_nginx(house):
    api = house.api()
    made, service = set_up(api, Slack)
    long = " " * (1 << 20) + " "
    assert send(made["url"], long, service.sign(long)).status_code == 413
    made, service = set_up(api, GitHub)
    large = json.dumps({"x": "a" * 20_000_000})
    assert send(made["url"], large, service.sign(large)).status_code == 200
    [event] = until(lambda: [one for one in events(api, source_id=made["id"]) if one["state"] == "published"], 120)
    assert event["bytes"] == len(large) and api.get(f"/inbound-events/{event['id']}").json()["body"] == large
    huge = b"a" * (25 * (1 << 20) + 1)
    answer = send(made["url"], huge, service.sign(huge))
    assert answer.status_code == 413, answer.text


def test_below_a_mount_prefix_twilio_signs_the_public_address(make_house):
    from inbound import Twilio
    house = make_house(mount="/x/hub")
    made, service = set_up(house.api(), Twilio)
    assert "/x/hub/inbound/" in made["url"]
    body = service.body()
    assert send(made["url"], body, service.sign(body)).status_code == 200


def test_a_hundred_at_once_are_one_event(make_house):
    house = make_house(workers=4)
    api = house.api()
    made, service = set_up(api, Slack)
    body = service.body("Ev-hundred")
    headers = service.sign(body)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: send(made["url"], body.encode(), headers).status_code, range(100)))
    assert set(answers) == {200}
    [event] = events(api, source_id=made["id"])
    assert event["times"] == 100
    until(lambda: events(api, source_id=made["id"])[0]["state"] == "published", 60)
    [told] = house.sql("SELECT COUNT(*) AS n FROM domain_events WHERE type = 'inbound.slack.message'")
    assert told["n"] == 1


def test_answers_stay_quick_while_publishing_stands_still(make_house):
    house = make_house()
    api = house.api()
    made, service = set_up(api, Slack)
    [work] = background(house)
    freeze(work)
    slowest = 0
    for number in range(50):
        body = service.body(f"Ev-{number}")
        began = time.monotonic()
        assert send(made["url"], body.encode(), service.sign(body)).status_code == 200
        slowest = max(slowest, time.monotonic() - began)
    waiting = events(api, source_id=made["id"], state="waiting")
    os.kill(work, signal.SIGCONT)
    assert len(waiting) == 50 and slowest < 1, f"the slowest answer took {slowest:.2f} s"
    until(lambda: len(events(api, source_id=made["id"], state="published")) == 50, 60)


def test_without_mariadb_the_service_is_told_to_come_again(make_house):
    house = make_house()
    made, service = set_up(house.api(), Slack)
    body = service.body("Ev-before")
    assert send(made["url"], body.encode(), service.sign(body)).status_code == 200
    house.database.stop()
    body = service.body("Ev-away")
    answer = send(made["url"], body.encode(), service.sign(body))
    assert answer.status_code == 503 and answer.headers["Retry-After"], answer.text
    house.database.start()
    until(lambda: send(made["url"], body.encode(), service.sign(body)).status_code == 200, 60, "the first answer")


def test_what_was_answered_2xx_is_published_whatever_is_killed(make_house):
    house = make_house(workers=3, settings=SETTINGS)
    api = house.api()
    made, service = set_up(api, Slack)
    came, acknowledged, refusals = collections.Counter(), set(), collections.Counter()
    lock, left = threading.Lock(), iter(range(EVENTS))

    def note(request):
        came[json.loads(request.body)["data"]["event_id"]] += 1
        return Answer(204)

    def post():
        session = requests.Session()
        while True:
            with lock:
                number = next(left, None)
            if number is None:
                return
            id, deadline = f"Ev-{number}", time.monotonic() + 120
            while id not in acknowledged:
                body, outcome = service.body(id), "cut off"
                with contextlib.suppress(requests.RequestException):
                    outcome = send(made["url"], body.encode(), service.sign(body), session).status_code
                with lock:
                    if outcome == 200:
                        acknowledged.add(id)
                    else:
                        refusals[outcome] += 1
                assert outcome in (200, 502, 503, 504, "cut off"), outcome
                assert time.monotonic() < deadline
            time.sleep(0.02)

    with receiving(note, keeps=False) as receiver, concurrent.futures.ThreadPoolExecutor(6) as pool:
        subscribe(api, receiver.url, "inbound.slack.*")
        turns = [pool.submit(post) for _ in range(6)]
        kills = 0
        while not all(turn.done() for turn in turns):
            until(lambda: len(acknowledged) >= (kills + 1) * EVENTS // 8 or all(turn.done() for turn in turns), 120)
            victims = background(house) if kills % 2 else house.workers()[:1]
            for victim in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
            kills += 1
        for turn in turns:
            turn.result()
        # What the killed had in hand rests until its lease ends.
        house.sql("UPDATE inbound_events SET next_at = UTC_TIMESTAMP(6) WHERE state = 'waiting'")
        until(lambda: house.sql("SELECT COUNT(*) AS n FROM inbound_events WHERE state <> 'published'")[0]["n"] == 0, 120)
        house.sql("UPDATE deliveries SET next_at = UTC_TIMESTAMP(6) WHERE state = 'waiting'")
        until(lambda: len(came) == EVENTS, 120, "the last delivery", lambda: f"{len(came)} of {EVENTS}")
    print(f"{EVENTS} events, {kills} kills, refusals {dict(refusals)}")
    assert kills >= 4 and len(acknowledged) == EVENTS
    [told] = house.sql("SELECT COUNT(*) AS n FROM domain_events WHERE type = 'inbound.slack.message'")
    assert told["n"] == EVENTS, "each was published once"


def test_a_secret_and_an_address_are_replaced_without_a_gap_in_every_worker(make_house):
    house = make_house(workers=4)
    api = house.api()
    made, service = set_up(api, Slack)

    def taken(url, secret, number):
        from slack_sdk.signature import SignatureVerifier
        service.verifier = SignatureVerifier(secret)
        body = service.body(f"Ev-{number}")
        return send(url, body.encode(), service.sign(body)).status_code == 200

    assert all(taken(made["url"], Slack.secret, n) for n in range(8))
    path = f"/inbound-sources/{made['id']}"
    assert api.post(path + "/rotate-secret", {"secret": "another-secret"}).status_code == 200
    assert all(taken(made["url"], secret, n) for n in range(16) for secret in (Slack.secret, "another-secret"))
    assert api.post(path + "/rotate-secret", {"secret": "third-secret", "grace_seconds": 0}).status_code == 200
    assert not any(taken(made["url"], "another-secret", n) for n in range(16))
    fresh = api.post(path + "/rotate-address", {"grace_seconds": 600}).json()["url"]
    assert fresh != made["url"] and all(taken(url, "third-secret", n) for n in range(8) for url in (fresh, made["url"]))
    last = api.post(path + "/rotate-address", {"grace_seconds": 0}).json()["url"]
    assert taken(last, "third-secret", 1) and not any(taken(fresh, "third-secret", n) for n in range(16))


def test_the_debugger_says_how_close_a_request_was(house):
    api = house.api()
    made, service = set_up(api, GitHub)
    body = '{"b": 1, "a": [true, "é"]}'
    headers = service.sign(body)
    assert send(made["url"], '{"b":1,"a":[true,"é"]}'.encode(), headers).status_code == 401
    [refusal] = api.get(f"/inbound-sources/{made['id']}/refusals").json()["data"]
    found = api.post(f"/inbound-sources/{made['id']}/debug", {"refusal_id": refusal["id"]}).json()
    assert found["verdict"] == "refused" and found["code"] == "wrong_signature"
    assert [hint["code"] for hint in found["hints"]] == ["reserialized"]
    pasted = api.post(f"/inbound-sources/{made['id']}/debug", {"headers": headers, "body": body + "\n"}).json()
    assert [hint["code"] for hint in pasted["hints"]] == ["trailing_newline"]
    assert GitHub.secret not in json.dumps([found, pasted])

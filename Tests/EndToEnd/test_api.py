"""The JSON API as a script meets it: `curl` with a key from the command line."""

import json
import subprocess
import uuid

import pytest
import requests

from standins import SENDGRID_KEY, TELEGRAM_TOKEN

TELEGRAM = {"bot_token": TELEGRAM_TOKEN}


def assert_problem(answer, status, code=None):
    """RFC 9457, with what this API adds."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    for member in ("type", "title", "detail", "code", "request_id"):
        assert isinstance(body[member], str) and body[member], member
    assert body["request_id"] == answer.headers["X-Request-Id"]
    if code:
        assert body["code"] == code
    return body


def test_a_script_lists_creates_tests_and_removes_with_curl(house, clean):
    key = house.create_key("admin:*", name="curl")
    assert key.startswith("sk_") and "\n" not in key, "the key stands alone on standard output"

    def curl(*arguments):
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "-w", "\n%{http_code}",
                               "-H", f"Authorization: Bearer {key}", *arguments],
                              capture_output=True, text=True, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body) if body else None

    base = house.url("/api/v1/connections")
    status, listed = curl(base)
    assert (status, listed["data"], listed["next_cursor"]) == (200, [], None)
    body = json.dumps({"provider": "telegram", "name": "curl", "setup": TELEGRAM})
    status, made = curl(base, "-H", "Content-Type: application/json", "-d", body)
    assert status == 201 and made["provider"] == "telegram" and made["name"] == "curl"
    uuid.UUID(made["id"])
    status, tested = curl("-X", "POST", f"{base}/{made['id']}/test")
    assert status == 200, tested
    status, one = curl(f"{base}/{made['id']}")
    assert (status, one["status"]) == (200, "connected")
    assert TELEGRAM_TOKEN not in json.dumps([listed, made, tested, one])
    status, _ = curl("-X", "DELETE", f"{base}/{made['id']}")
    assert status in (200, 204)
    assert curl(f"{base}/{made['id']}")[0] == 404


def test_an_api_key_in_its_own_header_is_the_same(house):
    key = house.create_key(name="own-header")
    answer = requests.get(house.url("/api/v1/connections"), headers={"X-API-Key": key}, timeout=10)
    assert answer.status_code == 200


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer sk_aaaaaaaa_" + "a" * 38},
    {"Authorization": "Basic YTpi"}, {"X-API-Key": ""},
], ids=["none", "nonsense", "well formed but unknown", "another scheme", "empty"])
def test_without_a_good_key_the_answer_is_401(house, headers):
    answer = requests.get(house.url("/api/v1/connections"), headers=headers, timeout=10)
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_scope_that_is_missing_answers_403(house):
    reader = house.api(house.create_key("connections:read", name="reader"))
    assert reader.get("/connections").status_code == 200
    assert_problem(reader.post("/connections", {"provider": "telegram", "setup": TELEGRAM}), 403, "insufficient_scope")


def test_another_organizations_id_answers_404_on_every_route(make_house):
    house = make_house()
    house.create_user("other@example.net", "another long password", org="Other")
    ours = house.api(house.create_key(name="ours", org="Example"))
    theirs = house.api(house.create_key(name="theirs", org="Other"))
    made = ours.create("telegram", TELEGRAM, name="ours")
    path = f"/connections/{made['id']}"
    assert theirs.get("/connections").json()["data"] == []
    for answer in (theirs.get(path), theirs.patch(path, {"name": "taken"}), theirs.delete(path),
                   theirs.get(path + "/status"), theirs.post(path + "/test"), theirs.post(path + "/disconnect")):
        assert_problem(answer, 404)
    assert ours.get(path).json()["name"] == "ours"
    unknown = ours.get(f"/connections/{uuid.uuid4()}")
    assert_problem(unknown, 404)
    assert unknown.json()["code"] == theirs.get(path).json()["code"], "a foreign id looks like one that is not there"


def test_names_are_unique_for_a_provider_and_several_may_stand_beside_each_other(clean):
    first = clean.create("telegram", TELEGRAM)
    assert first["name"] == "default"
    clean.create("telegram", TELEGRAM, name="support")
    assert_problem(clean.post("/connections", {"provider": "telegram", "name": "support", "setup": TELEGRAM}), 409)
    names = [row["name"] for row in clean.get("/connections?provider=telegram").json()["data"]]
    assert names == ["default", "support"], "the default one is first"


def test_the_default_connection_is_not_removed_but_may_be_swapped(clean):
    first, other = clean.create("telegram", TELEGRAM), clean.create("telegram", TELEGRAM, name="support")
    assert_problem(clean.delete(f"/connections/{first['id']}"), 409)
    assert clean.patch(f"/connections/{other['id']}", {"name": "default"}).status_code == 200
    assert clean.get(f"/connections/{first['id']}").json()["name"] == "support"
    assert clean.delete(f"/connections/{first['id']}").status_code in (200, 204)


def test_a_connection_is_edited_disabled_and_disconnected(clean):
    made = clean.create("telegram", TELEGRAM, name="edit")
    path = f"/connections/{made['id']}"
    assert clean.patch(path, {"enabled": False}).json()["status"] == "disabled"
    assert clean.patch(path, {"enabled": True}).json()["status"] != "disabled"
    assert clean.patch(path, {"name": "edited"}).json()["name"] == "edited"
    assert clean.post(path + "/test").status_code == 200
    assert clean.get(path + "/status").json()["connected"] is True
    assert clean.post(path + "/disconnect").status_code in (200, 204)
    after = clean.get(path).json()
    assert after["status"] == "disconnected"
    status = clean.get(path + "/status").json()
    assert status["connected"] is False and set(status) >= {"connected", "status", "checked_at"}


def test_a_change_of_one_field_keeps_the_others(clean, standins):
    setup, secret, _ = standins.setups()["aws"]
    made = clean.create("aws", setup, name="merge")
    path = f"/connections/{made['id']}"
    assert clean.patch(path, {"setup": {"region": "us-east-1"}}).status_code == 200
    assert clean.post(path + "/test").status_code == 200
    assert clean.get(path).json()["status"] == "connected", "the secret that was not sent again is still there"


def test_each_bad_field_is_named_by_pointer(clean):
    answer = clean.post("/connections", {
        "provider": "telegram", "name": "Not A Name", "setup": {"bot_token": "short", "colour": "red"}, "extra": 1})
    body = assert_problem(answer, 422)
    pointers = {error["pointer"] for error in body["errors"]}
    assert pointers == {"/name", "/setup/bot_token", "/setup/colour", "/extra"}
    for error in body["errors"]:
        assert error["code"] and error["detail"]
        assert "short" not in error["detail"], "what was typed into a secret is not said back"


def test_missing_fields_and_unknown_providers_are_named(clean):
    assert {error["pointer"] for error in assert_problem(clean.post("/connections", {}), 422)["errors"]} >= {"/provider"}
    body = assert_problem(clean.post("/connections", {"provider": "nope", "setup": {}}), 422)
    assert body["errors"][0]["pointer"] == "/provider"
    body = assert_problem(clean.post("/connections", {"provider": "telegram", "setup": {}}), 422)
    assert body["errors"][0]["pointer"] == "/setup/bot_token"


@pytest.mark.parametrize("body, kind, status", [
    (b"{", "application/json", 400), (b"", "application/json", 400), (b"[]", "application/json", 422),
    (b"\xff\xfe", "application/json", 400), (b"{}", "text/plain", 415), (b"a=b", "application/x-www-form-urlencoded", 415),
    (b"[" * 100_000, "application/json", 400), (b'{"a":1,"a":2}', "application/json", 400),
    (b'{"name": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
], ids=["cut", "empty", "a list", "not UTF-8", "text", "a form", "deep", "a name twice", "large"])
def test_a_body_that_is_not_as_promised_is_refused(house, api, body, kind, status):
    answer = api("POST", "/connections", data=body, headers={"Content-Type": kind})
    if status == 422 and answer.status_code == 400:
        status = 400  # a list is JSON, but no object: either reading is right
    assert_problem(answer, status)


def test_another_method_answers_405_and_names_those_allowed(api):
    answer = api("PUT", "/connections", json={})
    assert_problem(answer, 405)
    assert {method.strip() for method in answer.headers["Allow"].split(",")} >= {"GET", "POST"}


def test_an_unknown_path_answers_404(api):
    assert_problem(api.get("/nothing-here"), 404)
    assert_problem(api.get("/connections/not-an-id"), 404)


def test_head_is_get_without_its_body(clean):
    made = clean.create("telegram", TELEGRAM, name="head")
    for path in ("/connections", f"/connections/{made['id']}"):
        got, head = clean.get(path), clean("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers.get("Content-Length", str(len(got.content))) == str(len(got.content))
        assert head.headers["Content-Type"] == got.headers["Content-Type"]


def test_a_copy_that_is_still_right_answers_304(clean):
    made = clean.create("telegram", TELEGRAM, name="etag")
    path = f"/connections/{made['id']}"
    tag = clean.get(path).headers["ETag"]
    same = clean.get(path, headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    assert clean.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_write_upon_an_old_copy_answers_412(clean):
    made = clean.create("telegram", TELEGRAM, name="old")
    path = f"/connections/{made['id']}"
    tag = clean.get(path).headers["ETag"]
    assert clean.patch(path, {"name": "newer"}, headers={"If-Match": tag}).status_code == 200
    assert_problem(clean.patch(path, {"name": "newest"}, headers={"If-Match": tag}), 412)
    assert clean.get(path).json()["name"] == "newer"


def test_the_same_idempotency_key_makes_one_connection(clean):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"provider": "telegram", "name": "once", "setup": TELEGRAM}
    first = clean.post("/connections", body, headers=headers)
    again = clean.post("/connections", body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json() and again.headers["Idempotent-Replayed"] == "true"
    assert_problem(clean.post("/connections", {**body, "name": "twice"}, headers=headers), 422)


def test_lists_are_paged_by_cursor_without_gaps_or_doubles(clean):
    names = sorted(f"page-{number:02}" for number in range(11))
    for name in names:
        clean.create("telegram", TELEGRAM, name=name)
    seen, path = [], "/connections?limit=4"
    while path:
        answer = clean.get(path)
        seen += [row["name"] for row in answer.json()["data"]]
        cursor = answer.json()["next_cursor"]
        assert bool(cursor) == ('rel="next"' in answer.headers.get("Link", ""))
        path = cursor and f"/connections?limit=4&cursor={cursor}"
    assert sorted(seen) == names
    for wrong in ("limit=0", "limit=201", "limit=x", "cursor=garbage"):
        assert clean.get(f"/connections?{wrong}").status_code in (400, 422)


def test_providers_are_listed_with_their_field_rules(api):
    listed = {row["key"]: row for row in api.get("/providers").json()["data"]}
    assert set(listed) >= {"telegram", "sendgrid", "openrouter", "whatsapp", "aws", "smtp"}
    one = api.get("/providers/telegram").json()
    assert one["key"] == "telegram"
    token = next(field for field in one["fields"] if field["name"] == "bot_token")
    assert token["secret"] is True and token["required"] is True and token["label"]
    assert_problem(api.get("/providers/nope"), 404)


def test_every_answer_carries_the_request_id_that_the_log_has(house, api):
    answer = api.get("/connections")
    identifier = answer.headers["X-Request-Id"]
    assert len(identifier) == 32
    assert identifier in (house.folder / "nginx-access.log").read_text()


def test_secrets_are_masked_and_ids_and_times_have_their_form(clean):
    made = clean.create("sendgrid", {"api_key": SENDGRID_KEY, "from_email": "mailer@example.org"}, name="masked")
    text = json.dumps(clean.get(f"/connections/{made['id']}").json())
    assert SENDGRID_KEY not in text and SENDGRID_KEY[:12] not in text
    one = clean.get(f"/connections/{made['id']}").json()
    assert uuid.UUID(one["id"]).version == 7
    assert one["created_at"].endswith("Z") and len(one["created_at"]) == len("2026-01-02T03:04:05.678Z")

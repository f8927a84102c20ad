"""What the JSON interface promises at every address, at the front door: through nginx, to several workers."""

import concurrent.futures
import html
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import uuid

import pymysql
import pytest
import requests
from openapi_spec_validator import OpenAPIV31SpecValidator

from house import HUB, clean_environment, until
from standins import TELEGRAM_TOKEN
from test_api import assert_problem

TELEGRAM = {"bot_token": TELEGRAM_TOKEN}


@pytest.fixture(scope="module")
def description(house):
    return requests.get(house.url("/api/openapi.json"), timeout=10).json()


def raw(house, text):
    """Sends bytes as they are, and answers (status, header fields, body)."""
    with socket.create_connection(("127.0.0.1", house.port), timeout=10) as connection:
        connection.sendall(text)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.headers, answer.read()


def assert_raw_problem(answer, status, code):
    assert answer[0] == status, answer
    assert answer[1]["Content-Type"] == "application/problem+json"
    body = json.loads(answer[2])
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == answer[1]["X-Request-Id"]
    assert body["title"] == http.client.responses[status] or status in (413, 414)


# --- the description


def test_the_description_is_valid_openapi_and_says_where_the_hub_stands(make_house):
    house = make_house(mount="/hub/below")
    answer = requests.get(house.url("/api/openapi.json"), timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json()
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert [server["url"] for server in document["servers"]] == [house.url("")]
    same = requests.get(house.url("/api/openapi.json"), headers={"If-None-Match": answer.headers["ETag"]}, timeout=10)
    assert (same.status_code, same.content) == (304, b"")
    printed = json.loads(house.hub("openapi"))
    assert printed == document
    alone = subprocess.run([HUB, "openapi"], capture_output=True, text=True, timeout=60,
                           env=clean_environment(HUB_PUBLIC_URL="https://site.example/x"))
    assert json.loads(alone.stdout)["servers"][0]["url"] == "https://site.example/x", "it needs nothing but the address"


def described(house):
    """The pages of the description for people: what there is, and each chapter."""
    overview = requests.get(house.url("/api/docs"), timeout=10)
    chapters = dict.fromkeys(re.findall(r'<h2 [^>]*><a href="([^"]+)"', overview.text))
    return [overview, *(requests.get(chapter, timeout=10) for chapter in chapters)]


def test_the_description_for_people_leads_where_it_says(house, description):
    overview, *chapters = described(house)
    for page in (overview, *chapters):
        assert page.headers["Content-Type"].startswith("text/html")
        assert set(re.findall(r'href="#([^"]+)"', page.text)) <= set(re.findall(r'id="([^"]+)"', page.text))
        assert "<script>" not in page.text and "style=" not in page.text
    there = {f'{page.url}#{anchor}' for page in chapters for anchor in re.findall(r'id="([^"]+)"', page.text)}
    links = {html.unescape(link) for link in re.findall(r'class="operation" href="([^"]+)"', overview.text)}
    assert links <= there
    named = {operation["operationId"] for operations in description["paths"].values() for operation in operations.values()}
    assert named <= {link.partition("#")[2] for link in links}


def test_the_examples_with_curl_work_as_they_stand(house, description):
    """Those that read and need nothing that is not there."""
    key = house.create_key(name="curl examples")
    page = "".join(page.text for page in described(house))
    named = ("/(connections|messages|api-keys|workspaces|request-logs|webhooks|deliveries|replays|events|event-types"
             "|platform-integrations|inbound|inbound-sources|inbound-events|inbound-refusals|oauth-apps|oauth-tokens|app-consents"
             "|oauth/register)/")
    tried = 0
    for command in re.findall(r'<pre class="code"[^>]*>(.*?)</pre>', page, re.S):
        command = html.unescape(command)
        if "-X" in command or re.search(named, command):
            continue
        done = subprocess.run(command.replace("KEY", key).replace("curl ", "curl -sSf --noproxy '*' ", 1), shell=True,
                              capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stderr)
        tried += 1
    assert tried >= 8


# --- errors, whoever makes them


@pytest.mark.parametrize("path", ["/api/v1/connections", "/health/live", "/functions/v1/x"])
def test_what_nginx_refuses_below_the_api_is_a_problem_document(house, path):
    large = requests.post(house.url(path), data=b"x" * 1_100_000, headers={"Content-Type": "application/json"},
                          timeout=10)
    assert_problem(large, 413, "body_too_large")
    long = raw(house, f"GET {path}?{'a' * 40_000} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert_raw_problem(long, 414, "address_too_long")
    heads = raw(house, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-A: {'a' * 40_000}\r\n\r\n".encode())
    assert_raw_problem(heads, 431, "header_too_large")


def test_an_address_above_eight_kilobytes_is_414_even_where_nginx_would_take_it(make_house):
    house = make_house(http="large_client_header_buffers 4 32k;")
    api = house.api()
    assert_problem(api.get("/connections?search=" + "a" * 8_200), 414, "address_too_long")
    assert_problem(api.get("/connections?search=" + "a" * 8_000), 422, "validation_failed")
    assert api.get("/connections?search=" + "a" * 150).status_code == 200


def test_people_get_a_page_for_the_same(house):
    status, headers, body = raw(
        house, f"GET /connections?{'a' * 40_000} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert status == 414 and headers["Content-Type"].startswith("text/html") and b"<h1>" in body


def test_methods_that_nobody_knows_are_refused_and_trace_most_of_all(house, api):
    trace = raw(house, b"TRACE /api/v1/connections HTTP/1.1\r\nHost: x\r\nX-Secret: s3cret\r\nConnection: close\r\n\r\n")
    assert trace[0] == 405 and b"s3cret" not in trace[2]
    assert_problem(api("BREW", "/connections"), 501, "unknown_method")
    for method in ("PUT", "DELETE", "QUERY"):
        answer = api(method, "/connections")
        assert_problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    options = api("OPTIONS", "/connections")
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_a_problem_is_the_same_whichever_worker_tells_it(house, api):
    seen = set()
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for answer in threads.map(lambda _: requests.get(
                house.url(f"/api/v1/connections/{uuid.UUID(int=7)}"), timeout=30,
                headers={"Authorization": f"Bearer {api.key}"}), range(64)):
            body = assert_problem(answer, 404)
            assert int(answer.headers["Content-Length"]) == len(answer.content)
            body.pop("request_id")
            seen.add(json.dumps(body))
    assert len(seen) == 1


def test_no_error_tells_of_the_inside(house, api):
    for answer in (api.get("/connections?cursor='%20OR%201=1--"), api.post("/connections", {"provider": "'; DROP"}),
                   api.get("/connections/%27%22"), api.get("/audit-log?since=%00"), api("POST", "/workspaces", data=b"\0"),
                   api.get("/workspaces?limit=99999999999999999999")):
        assert 400 <= answer.status_code < 500, answer.text
        assert not re.search(r"SELECT|INSERT|mariadb|swift|/work|Sources|Optional\(", answer.text, re.I), answer.text


# --- bodies


@pytest.mark.parametrize("body", ["[" * 33 + "]" * 33, '{"name":' * 40 + "1" + "}" * 40], ids=["lists", "objects"])
def test_a_body_deeper_than_32_levels_is_refused(api, body):
    answer = api("POST", "/workspaces", data=body, headers={"Content-Type": "application/json"})
    assert "32" in assert_problem(answer, 400, "malformed_json")["detail"]


@pytest.mark.parametrize("value", [1, 1.5, True, ["x"], {"x": 1}, None, ""], ids=repr)
def test_a_value_of_another_type_is_named_and_never_turned_into_one(api, value):
    body = assert_problem(api.post("/workspaces", {"name": value}), 422, "validation_failed")
    assert [error["pointer"] for error in body["errors"]] == ["/name"]


def test_a_truth_and_a_number_are_not_taken_from_texts(clean):
    made = clean.create("telegram", TELEGRAM, name="strict")
    for value in ("true", 1, "1", 0):
        assert_problem(clean.patch(f"/connections/{made['id']}", {"enabled": value}), 422)
    assert clean.get(f"/connections/{made['id']}").json()["enabled"] is True


def test_only_what_is_described_can_be_written(api):
    for member in ("id", "organization_id", "created_at", "version", "__proto__"):
        body = assert_problem(api.post("/workspaces", {"name": "mass", member: str(uuid.uuid4())}), 422)
        assert [error["pointer"] for error in body["errors"]] == [f"/{member}"]
    assert "mass" not in [row["name"] for row in api.get("/workspaces?limit=200").json()["data"]]


def test_a_change_is_a_merge_patch_and_null_takes_away(clean):
    setup = {**TELEGRAM, "chat_id": "4711471147"}
    made = clean.create("telegram", setup, name="merge")
    path = f"/connections/{made['id']}"
    merge = {"Content-Type": "application/merge-patch+json"}
    answer = clean("PATCH", path, data=json.dumps({"setup": {"chat_id": None}}), headers=merge)
    assert answer.status_code == 200 and "chat_id" not in answer.json()["setup"]
    assert answer.json()["setup"]["bot_token"] == "***", "what is not named stays"
    assert_problem(clean("POST", "/workspaces", data='{"name": "x"}', headers=merge), 415)


def test_a_parameter_sent_twice_is_400(api):
    for query in ("limit=1&limit=2", "cursor=a&cursor=a", "status=error&status=error"):
        assert_problem(api.get(f"/connections?{query}"), 400, "duplicate_field")
    assert api.get("/connections?provider=slack&provider=telegram").status_code == 200


# --- lists


def test_a_walk_meets_everything_once_while_things_come_and_go(clean):
    kept = [clean.create("telegram", TELEGRAM, name=f"kept-{number:02}")["name"] for number in range(9)]
    going = [clean.create("telegram", TELEGRAM, name=f"going-{number:02}")["id"] for number in range(5)]
    seen, cursor, turn = [], "", 0
    while cursor is not None:
        part = clean.get(f"/connections?limit=2&cursor={cursor}").json()
        seen += [row["name"] for row in part["data"]]
        cursor = part["next_cursor"]
        clean.create("telegram", TELEGRAM, name=f"new-{turn:02}")
        if going:
            clean.delete(f"/connections/{going.pop()}")
        turn += 1
        assert turn < 40
    assert len(seen) == len(set(seen)) and set(seen) >= set(kept)


def test_a_cursor_that_was_changed_or_is_somebody_elses_is_refused(make_house):
    house = make_house()
    house.create_user("other@example.net", "another long password", org="Other")
    ours, theirs = (house.api(house.create_key(name="k", org=org)) for org in ("Example", "Other"))
    for one in (ours, theirs):
        for name in ("a", "b"):
            assert one.post("/workspaces", {"name": name}).status_code == 201
    cursor = ours.get("/workspaces?limit=1").json()["next_cursor"]
    assert ours.get(f"/workspaces?cursor={cursor}").status_code == 200
    assert_problem(theirs.get(f"/workspaces?cursor={cursor}"), 422)
    for place in (0, 10, len(cursor) - 2):
        other = "A" if cursor[place] != "A" else "B"
        assert_problem(ours.get(f"/workspaces?cursor={cursor[:place]}{other}{cursor[place + 1:]}"), 422)


def test_a_list_that_takes_the_database_too_long_is_503_in_seconds(make_house):
    house = make_house()
    api = house.api()
    assert api.get("/workspaces").status_code == 200
    blocker = pymysql.connect(unix_socket=str(house.database.socket), user=house.database.administrator(),
                              database="hub")
    try:
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLES workspaces WRITE")
            answer = api.get("/workspaces")
        assert_problem(answer, 503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert 4 < answer.elapsed.total_seconds() < 9, answer.elapsed
    finally:
        blocker.close()
    until(lambda: api.get("/workspaces").status_code == 200, 10, "the list")


# --- repetitions


def test_of_32_requests_at_once_with_one_key_one_has_an_effect(house, api):
    key, name = str(uuid.uuid4()), f"once-{uuid.uuid4()}"

    def post(number):
        return requests.post(house.url("/api/v1/workspaces"), json={"name": name}, timeout=30, headers={
            "Authorization": f"Bearer {api.key}", "Idempotency-Key": key if number % 2 else f'"{key}"'})

    with concurrent.futures.ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(post, range(32)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert_problem(answer, 409, "request_in_progress")
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert house.sql("SELECT COUNT(*) AS n FROM workspaces WHERE name = %s", name) == [{"n": 1}]
    again = post(0)
    assert again.status_code == 201 and again.headers["Idempotent-Replayed"] == "true"


def test_a_key_belongs_to_its_caller_and_its_address(house, api):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    assert api.post("/workspaces", {"name": f"one-{uuid.uuid4()}"}, headers=key).status_code == 201
    other = house.api(house.create_key(name="another caller"))
    assert other.post("/workspaces", {"name": f"two-{uuid.uuid4()}"}, headers=key).status_code == 201
    elsewhere = api.post("/api-keys", {"name": "elsewhere", "scopes": ["connections:read"]}, headers=key)
    assert elsewhere.status_code == 201 and "Idempotent-Replayed" not in elsewhere.headers
    for wrong in ("", '"open', "a b", "k" * 256):
        answer = api.post("/workspaces", {"name": "no"}, headers={"Idempotency-Key": wrong})
        assert_problem(answer, 400, "invalid_idempotency_key")


def test_a_request_that_was_cut_off_is_not_done_a_second_time(make_house):
    """A worker killed after the effect and before the answer: the repetition is told to look, and has no effect."""
    house = make_house(workers=2)
    api = house.api()
    blocker = pymysql.connect(unix_socket=str(house.database.socket), user=house.database.administrator(),
                              database="hub", autocommit=False)
    headers = {"Idempotency-Key": "cut-off"}
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        with blocker.cursor() as cursor:
            # Whoever writes the audit log waits, so that the request stands in the middle of its work.
            cursor.execute("LOCK TABLES audit_events WRITE")
            waiting = thread.submit(api.post, "/workspaces", {"name": "cut off"}, headers=headers)
            until(lambda: house.database.query(
                "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT INTO audit_events%%'"),
                10, "the request's work")
            for worker in house.workers():
                os.kill(worker, signal.SIGKILL)
            assert waiting.result().status_code in (502, 504)
    blocker.close()
    house.wait_ready()
    again = api.post("/workspaces", {"name": "cut off"}, headers=headers)
    assert again.status_code == 409 and again.json()["code"] in ("request_in_progress", "outcome_unknown"), again.text
    assert house.sql("SELECT COUNT(*) AS n FROM workspaces WHERE name = 'cut off'")[0]["n"] <= 1


# --- who asks


def test_a_session_alone_opens_nothing_that_scripts_use(house):
    person = house.sign_in()
    url = house.url("/api/v1/workspaces")
    for headers in ({}, {"X-CSRF-Token": "wrong"}, {"Content-Type": "text/plain"}):
        assert_problem(person.session.get(url, headers=headers, timeout=10), 401)
        assert_problem(person.session.post(url, data='{"name":"forged"}', headers=headers, timeout=10), 401)
    token = re.search(r'name="csrf_token" value="([^"]+)"', person.get("/account").text).group(1)
    assert person.session.get(url, headers={"X-CSRF-Token": token}, timeout=10).status_code == 200
    for site in ("cross-site", "same-site"):
        answer = person.session.post(url, json={"name": "forged"}, timeout=10,
                                     headers={"X-CSRF-Token": token, "Sec-Fetch-Site": site})
        assert_problem(answer, 401)
    assert house.sql("SELECT COUNT(*) AS n FROM workspaces WHERE name = 'forged'") == [{"n": 0}]


def test_other_sites_scripts_are_let_in_by_name_alone(make_house):
    house = make_house(settings={"HUB_CORS_ORIGINS": "https://app.example"})
    key = house.create_key(name="browser")
    url = house.url("/api/v1/workspaces")
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    allowed = requests.options(url, headers={"Origin": "https://app.example", **ask}, timeout=10)
    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Origin" in allowed.headers["Vary"]
    read = requests.get(url, headers={"Origin": "https://app.example", "X-API-Key": key}, timeout=10)
    assert read.status_code == 200 and read.headers["Access-Control-Allow-Origin"] == "https://app.example"
    for origin in ("https://evil.example", "null", "https://app.example.evil.example", "http://app.example"):
        for answer in (requests.options(url, headers={"Origin": origin, **ask}, timeout=10),
                       requests.get(url, headers={"Origin": origin, "X-API-Key": key}, timeout=10)):
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
            assert answer.headers["Vary"] == "Origin"


def test_by_itself_the_hub_shares_nothing_with_other_sites(house, api):
    for answer in (api("OPTIONS", "/connections", headers={"Origin": "https://a.example",
                                                           "Access-Control-Request-Method": "GET"}),
                   api.get("/connections", headers={"Origin": "https://a.example"})):
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


# --- what stands on every answer


def test_answers_to_callers_are_never_stored_and_never_guessed_at(house, api, description):
    for path, operations in description["paths"].items():
        if "get" not in operations or not operations["get"]["security"] or "{path}" in path:
            continue
        target = re.sub(r"\{(connection|key|id|provider)\}", str(uuid.UUID(int=1)), path)
        answer = requests.get(house.url(target), headers={"Authorization": f"Bearer {api.key}"}, timeout=10)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        kind = answer.headers["Content-Type"].partition(";")[0]
        told = operations["get"]["responses"][str(answer.status_code)].get("content", {"application/problem+json": {}})
        assert kind in told and kind not in ("text/html", "text/javascript"), (path, kind)
        answer.content.decode("utf-8")


def test_a_request_has_an_id_of_the_hubs_own_whatever_is_sent(api):
    for sent in ("a" * 32, "x\r\nSet-Cookie: a=b", "../../etc", "", "ok-1"):
        try:
            answer = api.get("/connections", headers={"X-Request-Id": sent})
        except requests.exceptions.InvalidHeader:
            continue
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"]) and answer.headers["X-Request-Id"] != sent
        assert "Set-Cookie" not in answer.headers

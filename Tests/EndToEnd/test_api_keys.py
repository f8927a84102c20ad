"""API keys from their making to their end: by the command line, by scripts, and by forms without JavaScript."""

import concurrent.futures
import datetime
import html
import re

import pytest
import requests

from house import until


@pytest.fixture(scope="module")
def keys(house):
    """JSON with a key that may do everything, whose own children are counted apart from the other tests'."""
    return house.api(house.create_key("admin:*", name="keys"))


def made(keys, **more):
    answer = keys.post("/api-keys", {"name": "made", "scopes": ["connections:read"]} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_the_command_line_makes_a_key_with_terms(house):
    key = house.hub("api-key", "create", "--name", "terms", "--scope", "api_keys:read", "--rate-limit", "7/80/900",
                    "--expires", "30", "--allow-ip", "127.0.0.0/8", "--allow-ip", "::1")
    found, = house.api(house.create_key()).get("/api-keys?q=terms").json()["data"]
    assert key.startswith(found["prefix"]) and key.endswith(found["last_four"])
    assert found["rate_limit"] == {"requests_per_minute": 7, "requests_per_hour": 80, "requests_per_day": 900}
    assert found["allowed_ips"] == ["127.0.0.0/8", "::1"]
    left = datetime.datetime.fromisoformat(found["expires_at"]) - datetime.datetime.now(datetime.UTC)
    assert 29.9 < left.total_seconds() / 86400 <= 30
    house.hub("api-key", "create", "--name", "endless", "--scope", "x:read", "--expires", "never")
    endless, = house.api(house.create_key()).get("/api-keys?q=endless").json()["data"]
    assert endless["expires_at"] is None


@pytest.mark.parametrize("arguments, words", [
    (("--rate-limit", "7/80"), "three numbers"),
    (("--rate-limit", "0/80/900"), "rate_limit.requests_per_minute"),
    (("--expires", "yesterday"), "expires_at"),
    (("--allow-ip", "10.0.0.0/33"), "allowed_ips"),
])
def test_the_command_line_says_what_is_wrong(house, arguments, words):
    done = house.hub("api-key", "create", "--name", "wrong", "--scope", "x:read", *arguments, check=False)
    assert done.returncode == 1 and done.stdout == "" and words in done.stderr


def test_of_fifty_keys_made_at_once_ten_live(house):
    parent = house.create_key("admin:*", name="parent")

    def make(number):
        return requests.post(house.url("/api/v1/api-keys"), json={"name": f"k{number}", "scopes": ["x:read"]},
                             headers={"Authorization": f"Bearer {parent}"}, timeout=30)

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(make, range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 40
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"too_many_keys"}


def test_a_key_lives_by_scripts(house, keys):
    key = made(keys, metadata={"team": "billing"})
    path = f"/api-keys/{key['id']}"
    assert keys.patch(path, {"allowed_ips": ["203.0.113.9"]}).json()["metadata"] == {"team": "billing"}
    assert keys.patch(path, {"name": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    merge = keys("PATCH", path, data=b'{"allowed_ips":null}', headers={"Content-Type": "application/merge-patch+json"})
    assert merge.status_code == 200 and merge.json()["allowed_ips"] == []
    rolled = keys.post(f"{path}/roll", {"grace_seconds": 60})
    assert rolled.status_code == 200 and rolled.headers["Cache-Control"] == "no-store"
    assert rolled.json()["key"] != key["key"] and rolled.json()["previous"]["last_four"] == key["last_four"]
    assert house.api(rolled.json()["key"]).get("/connections").status_code == 200
    assert keys.delete(f"{path}/previous").status_code == 204
    assert keys.get(path).json()["previous"] is None
    assert keys.post(f"{path}/disable").json()["state"] == "disabled"
    assert keys.post(f"{path}/enable").json()["state"] == "active"
    assert keys.delete(path).status_code == 204
    assert keys.post(f"{path}/enable").status_code == 409
    assert keys.get(f"/api-keys?state=revoked&q={key['prefix']}").json()["data"][0]["id"] == key["id"]
    types = [row["type"] for row in house.sql("SELECT type FROM domain_events WHERE object_id = UNHEX(REPLACE(%s, '-', ''))"
                                         " ORDER BY id", key["id"])]
    assert types == ["api_key.created", "api_key.updated", "api_key.updated", "api_key.rolled",
                     "api_key.previous_ended", "api_key.disabled", "api_key.enabled", "api_key.revoked"]


def test_a_key_lives_by_forms_alone(house):
    person = house.sign_in()
    page = person.submit("/api-keys/new", name="by form", scopes="connections:read", allowed_ips="127.0.0.1\n10.0.0.0/8",
                         metadata="team=billing", **{"rate_limit.requests_per_minute": "5"})
    secret = re.search(r"sk_\w{8}_\w{38}", page.text)[0]
    assert page.status_code == 200 and "cannot be shown again" in page.text
    shown = re.search(r'href="([^"]*/api-keys/[0-9a-f-]{36})"', page.text)[1]
    path = shown[len(house.mount):]
    detail = person.get(path).text
    for words in ("by form", "5 requests", "10.0.0.0/8", "billing"):
        assert words in html.unescape(detail), words
    assert secret not in detail
    refused = person.submit(f"{path}/edit", allowed_ips="10.0.0.0/33", name="kept as typed")
    assert refused.status_code == 422 and "10.0.0.0/33" in refused.text and "kept as typed" in refused.text
    assert "renamed" in person.submit(f"{path}/edit", name="renamed").text
    rolled = person.submit(f"{path}/roll", grace_seconds="3600").text
    assert re.search(r"sk_\w{8}_\w{38}", rolled)[0] != secret
    assert "Previous secret" in person.get(path).text
    assert "The previous secret has ended." in person.submit(path, having="/end-previous").text
    assert "Enable key" in person.submit(path, having="/disable").text
    assert "Disable key" in person.submit(path, having="/enable").text
    assert "revoked" in person.submit(f"{path}/revoke", confirm_name="renamed").text
    assert "It was revoked" in person.get(path).text


def test_keys_that_will_end_are_told_of_by_the_background_work(make_house):
    house = make_house()
    keys = house.api()
    key = made(keys)
    house.sql("UPDATE api_keys SET expires_at = UTC_TIMESTAMP(6) + INTERVAL 5 DAY, expiry_noticed = NULL"
              " WHERE id = UNHEX(REPLACE(%s, '-', ''))", key["id"])
    house.sql("UPDATE jobs SET run_at = UTC_TIMESTAMP(6) WHERE kind = 'api_keys.expiring'")
    until(lambda: house.sql("SELECT 1 FROM domain_events WHERE type = 'api_key.expiring'"), what="the notice")
    assert len(house.sql("SELECT 1 FROM domain_events WHERE type = 'api_key.expiring'")) == 1

"""An organization with ten thousand connections: its lists answer as one with fifty does."""

import concurrent.futures
import json
import statistics

import pytest
import requests

from house import House, until

pytestmark = pytest.mark.alone

MANY = 10_000
SERVICES = {
    "telegram": lambda number: {"bot_token": f"{100_000 + number}:" + "a" * 35},
    "sendgrid": lambda number: {"api_key": "SG." + f"{number:022d}." + "b" * 43, "from_email": "a@example.org"},
}


@pytest.fixture(scope="module")
def crowded(database_template, tmp_path_factory):
    made = House(tmp_path_factory.mktemp("crowded"), workers=2)
    try:
        yield fill(made.start())
    finally:
        made.stop()


def fill(house):
    key = house.create_key()

    def create(numbers):
        with requests.Session() as session:
            for number in numbers:
                provider = "telegram" if number % 2 else "sendgrid"
                answer = session.post(
                    house.url("/api/v1/connections"), headers={"Authorization": f"Bearer {key}"},
                    json={"provider": provider, "name": f"n-{number}", "setup": SERVICES[provider](number)}, timeout=30)
                assert answer.status_code == 201, answer.text

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(create, [range(first, MANY, 8) for first in range(8)]))
    house.crowd_key = key
    return house


def server_milliseconds(house, path, ask, times=41):
    """What nginx waited for the hub, at the median."""
    def logged():
        lines = (json.loads(line) for line in (house.folder / "nginx-access.log").read_text().splitlines())
        return [float(line["hub_seconds"]) * 1000 for line in lines if line["path"] == path and line["method"] == "GET"]

    before = len(logged())
    for _ in range(times):
        assert ask().status_code == 200
    until(lambda: len(logged()) >= before + times)
    return statistics.median(logged()[before:])


def test_the_lists_of_ten_thousand_connections_answer_within_20_ms(crowded):
    api, person = crowded.api(crowded.crowd_key), crowded.sign_in()
    assert crowded.sql("SELECT COUNT(*) AS count FROM connections WHERE removed_at IS NULL")[0]["count"] == MANY
    figures = {
        "JSON list": server_milliseconds(crowded, "/api/v1/connections", lambda: api.get("/connections?limit=50")),
        "page": server_milliseconds(crowded, "/connections", lambda: person.get("/connections")),
    }
    print(figures)
    assert max(figures.values()) < 20, figures


def test_walking_through_ten_thousand_connections_meets_each_once(crowded):
    api, seen, path = crowded.api(crowded.crowd_key), [], "/connections?limit=200"
    while path:
        body = api.get(path).json()
        seen += [(one["provider"], one["name"]) for one in body["data"]]
        path = body["next_cursor"] and f"/connections?limit=200&cursor={body['next_cursor']}"
    assert len(seen) == len(set(seen)) == MANY
    assert seen == sorted(seen)

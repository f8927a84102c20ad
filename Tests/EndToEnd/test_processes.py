"""Processes under load: killed, reloaded, hung, without a database, drained."""

import dataclasses
import math
import os
import pathlib
import signal
import time

import pytest
import requests

from house import freeze, until
from load import Load, get, mixed

# `HUB_TEST_SECONDS=60` is the long form.
SECONDS = float(os.environ.get("HUB_TEST_SECONDS", "15"))

pytestmark = pytest.mark.alone


@pytest.fixture
def busy(make_house):
    """A house with several workers, and a key."""
    made = make_house(workers=4)
    return made, made.create_key()


@dataclasses.dataclass
class Kill:
    """The end of a worker: the connections it held, those of all workers, when it was killed and when it was gone."""

    held: int
    total: int
    began: float
    ended: float


def kill(house, victim):
    freeze(victim)
    held = house.connections(victim)
    total = sum(house.connections(pid) for pid in house.workers())
    began = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    # The supervisor reaps it once all its threads have ended, and its connections with them.
    until(lambda: not os.path.exists(f"/proc/{victim}"), what="its end")
    return Kill(held, total, began, time.monotonic())


def test_a_killed_worker_fails_its_own_requests_only(busy):
    house, key = busy
    kills, turns = [], sorted(house.workers())
    with Load(house, get("/api/v1/connections?limit=5", key), clients=8) as load:
        until(lambda: len(load.outcomes) > 100)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            kills.append(kill(house, turns.pop(0)))
            turns += until(lambda: set(house.workers()) - set(turns), 10, "a new worker")
            time.sleep(max(0, kills[-1].began + 1 - time.monotonic()))
    ends = [one.began for one in kills[1:]] + [math.inf]
    failed = [[o for o in load.failed if one.began <= o.ended < end] for one, end in zip(kills, ends)]
    held, total = sum(one.held for one in kills), sum(one.total for one in kills)
    print(len(kills), "kills of", held, "among", total, "connections:", load.summary())
    assert len(load.outcomes) > 100 * SECONDS
    assert {outcome.status for outcome in load.failed} <= {502}, load.summary()
    assert sum(map(len, failed)) == len(load.failed), "nothing fails before the first kill"
    for one, some in zip(kills, failed):
        assert len(some) <= one.held, f"{len(some)} failures, though the worker held {one.held} connections"
        assert all(outcome.began <= one.ended for outcome in some), "each had begun before the worker was gone"
    # Half of all, when each worker is killed in its turn and takes a third of what the one before it lost.
    assert 0 < held <= total * 3 / 4, "the kills met a part of the requests, and the rest succeeded"


def test_a_dead_worker_is_replaced_within_a_second_and_the_log_says_why_it_died(busy):
    house, _ = busy
    victim = house.workers()[0]
    os.kill(victim, signal.SIGKILL)
    began = time.monotonic()
    until(lambda: len(house.workers()) == 4 and victim not in house.workers())
    assert time.monotonic() - began < 1
    until(lambda: any(str(victim) in str(line) and "9" in str(line) for line in house.log()), what="a line of the log")


def test_no_request_is_lost_over_twenty_reloads(busy):
    house, key = busy
    with Load(house, mixed(key), clients=6) as load:
        until(lambda: len(load.outcomes) > 100)
        for _ in range(20):
            before = set(house.workers())
            house.supervisor.send_signal(signal.SIGHUP)
            until(lambda: len(set(house.workers()) - before) == 4, 20, "new workers")
    print(load.summary())
    assert load.failed == [], load.summary()
    created = {outcome.name for outcome in load.outcomes if outcome.name}
    stored = [row["name"] for row in house.sql("SELECT name FROM connections WHERE name LIKE 'load-%%'")]
    assert sorted(created) == sorted(stored), "each 201 is one connection"


def test_a_reload_with_a_broken_configuration_keeps_the_old_workers(busy):
    house, _ = busy
    before = sorted(house.workers())
    text = (house.folder / "hub.conf").read_text()
    (house.folder / "hub.conf").write_text(text + "HUB_NO_SUCH_SETTING=1\n")
    house.supervisor.send_signal(signal.SIGHUP)
    until(lambda: "HUB_NO_SUCH_SETTING" in house.log_text(), what="a line of the log")
    assert sorted(house.workers()) == before
    assert requests.get(house.url("/health/live"), timeout=5).status_code == 200
    (house.folder / "hub.conf").write_text(text)
    house.supervisor.send_signal(signal.SIGHUP)
    until(lambda: not set(before) & set(house.workers()), 40, "the new workers alone")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_without_mariadb_requests_get_503_and_recover_by_themselves(busy, how):
    house, key = busy
    workers = sorted(house.workers())
    with Load(house, get("/api/v1/connections?limit=5", key), clients=6) as load:
        until(lambda: len(load.outcomes) > 200)
        gone = time.monotonic()
        house.database.stop(how)
        until(lambda: any(outcome.status == 503 for outcome in load.outcomes), 15, "a 503")
        answer = requests.get(house.url("/api/v1/connections"), headers={"Authorization": f"Bearer {key}"}, timeout=30)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json()["code"]
        page = requests.get(house.url("/sign-in"), timeout=30)
        assert page.status_code in (200, 503)
        assert requests.get(house.url("/health/live"), timeout=5).status_code == 200
        assert requests.get(house.url("/health/ready"), timeout=5).status_code == 503
        house.database.start()
        back = time.monotonic()
        until(lambda: any(o.good and o.began > back for o in load.outcomes), 10, "a success")
        until(lambda: len([o for o in load.outcomes if o.good and o.began > back]) > 500, 20, "successes")
    print(load.summary())
    assert {outcome.status for outcome in load.failed} <= {503}, load.summary()
    assert all(outcome.ended >= gone for outcome in load.failed)
    first = min(outcome.ended for outcome in load.outcomes if outcome.good and outcome.began > gone)
    assert first - back < 1, f"first success {first - back:.2f} s after the return"
    assert all(outcome.began < back + 1 for outcome in load.failed), "no failure once it had recovered"
    assert all(o.ended - o.began < 2 for o in load.failed), "a refusal takes less than two seconds"
    assert sorted(house.workers()) == workers, "no worker was restarted"


def slow_tests(api, standins, clients):
    """Tests of connections, as slow as the service behind them; two for each client in turn, since one needs a rest."""
    setup = standins.setups()["telegram"][0]
    made = [api.create("telegram", setup, name=f"slow-{number}")["id"] for number in range(2 * clients)]
    headers = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json"}
    return lambda client, number: (
        "POST", f"/api/v1/connections/{made[2 * client + number % 2]}/test", headers, "{}", "")


def test_sigterm_lets_running_requests_finish(make_house, standins):
    house = make_house(workers=2)
    api = house.api()
    slow = slow_tests(api, standins, clients=4)
    standins.telegram.delay = 1.5
    try:
        with Load(house, slow, 4) as load:
            asked = len(standins.telegram.requests)
            until(lambda: len(standins.telegram.requests) >= asked + 4)
            house.supervisor.send_signal(signal.SIGTERM)
            told = time.monotonic()
            load.stopping.set()
        house.supervisor.wait(30)
    finally:
        standins.telegram.delay = 0
    running = [outcome for outcome in load.outcomes if outcome.began < told]
    assert running and all(outcome.good for outcome in running), load.summary()
    assert house.supervisor.returncode == 0
    assert not house.socket.exists()


def test_a_hung_worker_is_killed_and_replaced(make_house):
    house = make_house(workers=2, settings={"HUB_REQUEST_DEADLINE": 5})
    victim = house.workers()[0]
    os.kill(victim, signal.SIGSTOP)
    try:
        with Load(house, get("/health/live"), clients=4) as load:
            until(lambda: victim not in house.workers() and len(house.workers()) == 2, 90, "its replacement",
                  lambda: (victim, house.children(), house.log_text()[-4_000:]))
            count = len(load.outcomes)
            until(lambda: len(load.outcomes) > count + 500)
    finally:
        if victim in house.workers():
            os.kill(victim, signal.SIGKILL)
    assert len(load.failed) <= 20, load.summary()


def test_workers_do_not_outlive_a_killed_supervisor(make_house):
    house = make_house(workers=2)
    orphans = [pid for pid, _ in house.children()]
    assert orphans
    house.supervisor.kill()
    house.supervisor.wait()
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in orphans), 40, "their end")
    house.start_hub()
    house.wait_ready()


def test_a_second_supervisor_does_not_take_the_socket(house):
    second = house.hub("serve", check=False)
    assert second.returncode != 0
    assert requests.get(house.url("/health/live"), timeout=5).status_code == 200


def test_a_worker_that_cannot_boot_stops_the_house_with_one_sentence(make_house):
    house = make_house()
    house.supervisor.terminate()
    house.supervisor.wait(40)
    house.write_settings(HUB_KEYRING=house.folder / "not-there")
    house.start_hub()
    assert house.supervisor.wait(20) != 0
    assert "not-there" in house.log_text()


def test_what_runs_goes_on_under_a_newer_schema_and_nothing_boots_on_it(make_house):
    house = make_house(workers=2)
    api, before = house.api(), sorted(house.workers())
    house.sql("INSERT INTO schema_migrations (name, digest, applied_at) VALUES ('9999_later', 'x', UTC_TIMESTAMP(6))")
    house.supervisor.send_signal(signal.SIGHUP)
    until(lambda: "newer program (9999_later)" in house.log_text(), what="a line of the log")
    # One that cannot boot is there for a moment.
    until(lambda: sorted(house.workers()) == before, what="the workers of before, alone")
    assert api.get("/connections").status_code == 200
    until(lambda: requests.get(house.url("/health/ready"), timeout=5).status_code == 503, what="a warning")
    house.supervisor.terminate()
    house.supervisor.wait(40)
    house.start_hub()
    assert house.supervisor.wait(20) != 0


def test_lanes_must_outnumber_kept_connections(make_house):
    house = make_house()
    refused = house.folder / "hub.conf"
    refused.write_text(refused.read_text() + "HUB_LANES=2\n")
    house.supervisor.terminate()
    house.supervisor.wait(40)
    house.start_hub()
    assert house.supervisor.wait(20) != 0
    assert "HUB_KEEPALIVE" in house.log_text()


@pytest.mark.parametrize(("setting", "policy"), [({}, os.SCHED_BATCH), ({"HUB_BATCH_SCHEDULING": "no"}, os.SCHED_OTHER)])
def test_lanes_alone_leave_the_processor_to_nginx_unless_told_otherwise(make_house, setting, policy):
    house = make_house(settings=setting)
    policies = {}
    for worker in house.workers():
        for thread in pathlib.Path(f"/proc/{worker}/task").iterdir():
            is_lane = (thread / "comm").read_text().startswith("lane ")
            policies.setdefault(is_lane, set()).add(os.sched_getscheduler(int(thread.name)))
    assert policies == {True: {policy}, False: {os.SCHED_OTHER}}


def test_slow_provider_calls_do_not_starve_the_rest(make_house, standins):
    """Six slow requests over kept connections pin six lanes; everyone else is served at once."""
    house = make_house(workers=2)
    api = house.api()
    tests = slow_tests(api, standins, clients=6)
    standins.telegram.delay = 3
    try:
        slow = Load(house, tests, 6)
        with slow:
            asked = len(standins.telegram.requests)
            until(lambda: len(standins.telegram.requests) >= asked + 6)
            for _ in range(200):
                assert requests.get(house.url("/health/live"), timeout=1).status_code == 200
    finally:
        standins.telegram.delay = 0
    assert all(outcome.good for outcome in slow.outcomes), slow.summary()

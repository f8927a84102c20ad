"""Renewing tokens: one call whoever asks, and never silently broken whoever is killed."""

import concurrent.futures
import os
import random
import signal
import subprocess
import threading
import time

import pytest
import requests

from house import HUB, ROOT, clean_environment, until
from rotating import Rotating

# `HUB_TEST_SECONDS=3600` is the long form: an hour, each of its tokens alive for two seconds.
SECONDS = float(os.environ.get("HUB_TEST_SECONDS", "15"))

pytestmark = pytest.mark.alone


@pytest.fixture
def service():
    made = Rotating()
    yield made
    made.stop()


@pytest.fixture
def busy(make_house, service, tmp_path):
    """Four workers and two `hub work`, as two hosts would have them."""
    house = make_house(workers=4, settings=service.settings(tmp_path))
    second = SecondHost(house, tmp_path / "second")
    yield house
    second.stop()


class SecondHost:
    """Another `hub serve` on the same database."""

    def __init__(self, house, folder):
        folder.mkdir()
        settings = {**house.settings, "HUB_STATE": folder, "HUB_LISTEN": folder / "hub.sock", "HUB_WORKERS": 1,
                    "HUB_KEEPALIVE": 4}
        path = folder / "hub.conf"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items() if value is not None))
        self.log = folder / "hub.log"
        with open(self.log, "ab") as log:
            self.supervisor = subprocess.Popen(
                [HUB, "serve"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT,
                env=clean_environment(HUB_CONFIG=str(path)), start_new_session=True)
        until((folder / "hub.sock").exists, what="the second host's socket")

    def stop(self):
        self.supervisor.send_signal(signal.SIGTERM)
        self.supervisor.wait(40)


def sign_in(api, connection):
    """Signs in as a script does: the service of these tests takes any code."""
    begun = api.post(f"/connections/{connection}/authorize", {})
    assert begun.status_code == 200, begun.text
    done = api.post(f"/connections/{connection}/exchange", {"code": "any", "state": begun.json()["state"]})
    assert done.status_code == 200, done.text


def connect(api):
    made = api.create("rotating", {"client_id": "hub", "client_secret": "rotating-secret"})
    sign_in(api, made["id"])
    return made["id"]


def due(house, connection):
    """Lets the half minute of a lease pass, and the moment of renewal come, in the background too."""
    house.sql("UPDATE connections SET refresh_due_at = UTC_TIMESTAMP(6) - INTERVAL 1 MINUTE, "
              "refresh_lease_until = IF(refresh_lease_until IS NULL, NULL, UTC_TIMESTAMP(6) - INTERVAL 1 SECOND) "
              "WHERE HEX(id) = %s", connection.replace("-", ""))
    house.sql("UPDATE jobs SET run_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND "
              "WHERE kind = 'connections.refresh' AND state = 'waiting'")


def test_fifty_refreshes_at_once_on_four_workers_and_two_job_runners_are_one_call(busy, service):
    api = busy.api()
    connection = connect(api)
    for turn in range(1, 4):
        service.delay = 0.5
        before = len(service.refreshes)
        due(busy, connection)
        with concurrent.futures.ThreadPoolExecutor(50) as threads:
            answers = list(threads.map(lambda _: busy.api().post(f"/connections/{connection}/refresh", {}), range(50)))
        assert [answer.status_code for answer in answers] == [200] * 50, {answer.text for answer in answers}
        assert len({answer.json()["refreshed_at"] for answer in answers}) == 1
        assert len(service.refreshes) == before + 1
        lent = api.get(f"/connections/{connection}/credentials").json()["credentials"]["access_token"]
        assert lent == f"access-{service.number}"
        # The service is left in peace for a while after each attempt.
        due(busy, connection)
        until(lambda: len(service.refreshes) == before + 2, what="the background's turn")
        until(lambda: busy.sql("SELECT refresh_lease FROM connections")[0]["refresh_lease"] is None)


def test_a_token_that_is_due_is_renewed_in_the_background(busy, service):
    api = busy.api()
    connection = connect(api)
    due(busy, connection)
    until(lambda: api.get(f"/connections/{connection}").json()["refreshed_at"], what="the renewal")
    assert len(service.refreshes) == 1


def test_no_transaction_is_open_while_the_service_takes_its_time(busy, service):
    api = busy.api()
    connection = connect(api)
    service.held = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(busy.api().post, f"/connections/{connection}/refresh", {}) for _ in range(8)]
        assert service.arrived.wait(10)
        # Whatever is open now ends while the service still thinks; one that waited for the service could not, and would be
        # at no statement. The tables by day make their days ahead meanwhile, which takes a slow disk its time.
        now = busy.sql("SELECT NOW() AS now")[0]["now"]
        old = ("SELECT * FROM information_schema.innodb_trx "
               "WHERE trx_started <= %s AND COALESCE(trx_query, '') NOT LIKE %s")
        find = lambda: busy.sql(old, now, "%REORGANIZE PARTITION%")  # noqa: E731
        until(lambda: not find(), 20, "the end of all transactions", lambda: str(find()))
        assert not any(answer.done() for answer in answers)
        service.held.set()
        assert {answer.result().status_code for answer in answers} == {200}
    assert len(service.refreshes) == 1


@pytest.mark.parametrize("grace", [True, False], ids=["the service forgives", "the service does not forgive"])
def test_a_kill_between_the_answer_and_the_commit_is_never_silent(busy, service, grace):
    api = busy.api()
    connection = connect(api)
    service.grace, service.held = grace, threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        asked = threads.submit(busy.api().post, f"/connections/{connection}/refresh", {})
        assert service.arrived.wait(10)
        # The service has ended the old token; whoever holds the answer dies before it is stored.
        victims = busy.workers()
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        service.held.set()
        assert asked.result().status_code == 502
    until(lambda: len(set(busy.workers()) - set(victims)) == 4, what="new workers")
    busy.wait_ready()
    due(busy, connection)
    state = until(lambda: settled(api, connection, service), what="the truth")
    assert state == ("connected" if grace else "needs_reauth")
    if not grace:
        told = api.get(f"/connections/{connection}").json()
        assert "Sign in again" in told["status_detail"]
        sign_in(api, connection)
    usable(api, connection, service)


def settled(api, connection, service):
    """The status, once somebody has found out what became of the lost answer."""
    row = api.get(f"/connections/{connection}").json()
    return row["status"] if row["status"] == "needs_reauth" or row["refreshed_at"] else None


def usable(api, connection, service):
    answer = api.get(f"/connections/{connection}/credentials")
    assert answer.status_code == 200, answer.text
    token = answer.json()["credentials"]["access_token"]
    said = requests.get(f"{service.url}/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert said.status_code == 200, f"{token} is none that the service knows"


def test_a_service_that_ends_old_tokens_at_once_survives_use_with_kills(busy, service):
    api = busy.api()
    connection = connect(api)
    service.lifetime, service.delay = 2, 0.1
    sign_in(api, connection)
    service.unknown.clear()
    end = time.monotonic() + SECONDS
    counts = {"used": 0, "signed in": 0, "waited": 0, "killed": 0}
    signing = threading.Lock()

    def use():
        mine = busy.api()
        while time.monotonic() < end:
            try:
                answer = mine.get(f"/connections/{connection}/credentials")
            except requests.ConnectionError:
                continue
            if answer.status_code == 200:
                token = answer.json()["credentials"]["access_token"]
                # What is lent was given by the service and alive when it was looked at; on a busy machine an answer is
                # under way for a while.
                left = service.access[token] - time.monotonic()
                assert left > -0.5, f"{token} was lent and had ended {-left} s before"
                counts["used"] += 1
            elif answer.status_code == 409 and answer.json()["code"] == "needs_reauth":
                with signing:
                    if mine.get(f"/connections/{connection}/status").json()["status"] == "needs_reauth":
                        sign_in(mine, connection)
                        counts["signed in"] += 1
            else:
                # A worker was killed, or the lease of one that was is waited for.
                assert answer.status_code in (502, 503), answer.text
                counts["waited"] += 1
            time.sleep(0.05)

    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        users = [threads.submit(use) for _ in range(6)]
        while time.monotonic() < end:
            until(lambda: len(busy.workers()) == 4 or time.monotonic() > end, 60)
            time.sleep(random.uniform(0.5, 1.5))
            victim = random.choice([pid for pid, _ in busy.children()])
            try:
                os.kill(victim, signal.SIGKILL)
                counts["killed"] += 1
            except ProcessLookupError:
                pass
        for user in users:
            user.result()
    print(counts)
    assert counts["used"] > SECONDS and counts["killed"] > 3
    busy.wait_ready(60)
    service.lifetime = 3600

    def mended():
        answer = api.get(f"/connections/{connection}/credentials")
        if answer.status_code == 409:
            sign_in(api, connection)
        return answer.status_code == 200

    until(mended, 60, "the end of the last lease")
    usable(api, connection, service)

"""Whatever is killed at whatever moment: a code is worth one grant, a refresh token has one successor, and what was answered
stays answered."""

import concurrent.futures
import contextlib
import os
import random
import signal
import threading

import pytest
import requests

from ecosystem import SETTINGS, Server, refused
from house import until

pytestmark = pytest.mark.alone

# `HUB_TEST_KILLS=200` is the long form, and `HUB_TEST_ROUNDS=500`.
KILLS = int(os.environ.get("HUB_TEST_KILLS", "12"))
ROUNDS = int(os.environ.get("HUB_TEST_ROUNDS", "20"))
WORKERS = 4


@pytest.fixture
def server(make_house):
    return Server(make_house(workers=WORKERS, settings=SETTINGS))


class Reaper:
    """Kills worker after worker, each as soon as the last one has been replaced, at whatever they are."""

    def __init__(self, house):
        self.house, self.kills, self.chance = house, 0, random.Random(20261122)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.stopping.is_set():
            workers = self.house.workers()
            if len(workers) < 2:
                continue
            victim = self.chance.choice(workers)
            # A moment that nobody chose: work goes on meanwhile.
            self.stopping.wait(self.chance.random() * 0.1)
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
                self.kills += 1
            until(lambda victim=victim: victim not in self.house.workers(), 30, "its end")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(60)


def attempt(ask):
    """An answer, or None when none came: 502 is nginx's word for a worker that died."""
    try:
        answer = ask()
    except requests.ConnectionError:
        return None
    return None if answer.status_code in (502, 503, 504) else answer


def stubborn(ask):
    """Asks until an answer comes; one of 400 is one, though it does not count as true."""
    came = []

    def asked():
        answer = attempt(ask)
        came.extend([] if answer is None else [answer])
        return came

    return until(asked, 60, "an answer")[0]


def grants(server, code_app):
    """How many grants of this app the database holds."""
    [row] = server.house.sql(
        "SELECT COUNT(*) AS n FROM oauth_grants WHERE app_id = UNHEX(REPLACE(%s, '-', ''))", code_app.id)
    return row["n"]


def test_no_code_is_good_twice_whatever_is_killed(server):
    app = server.register()
    app.code()
    known = grants(server, app)
    codes, answered = [], {}
    lock = threading.Lock()

    def redeem(code):
        answer = attempt(lambda: app.redeem(code))
        if answer is not None:
            with lock:
                answered.setdefault(code, []).append(answer)

    kills = 0
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        while kills < KILLS:
            until(lambda: len(server.house.workers()) == WORKERS, 60, "workers")
            some = [stubborn(lambda: server.person.session.get(app.url(), timeout=30, allow_redirects=False))
                    .headers["Location"].partition("code=")[2].partition("&")[0] for _ in range(60)]
            codes += some
            with Reaper(server.house) as reaper:
                # Each twice, at the same time.
                list(pool.map(redeem, [code for code in some for _ in range(2)]))
            kills += reaper.kills
    until(lambda: len(server.house.workers()) == WORKERS, 60, "workers")
    good = {code: [one.json() for one in answers if one.status_code == 200] for code, answers in answered.items()}
    assert all(len(bodies) <= 1 for bodies in good.values()), "a code gave two grants"
    lost = [code for code in codes if not good.get(code)]
    late = 0
    for code in lost:
        answer = app.redeem(code)
        if answer.status_code == 200:
            late += 1
            good[code] = [answer.json()]
        else:
            refused(answer, "invalid_grant")
    print(f"{kills} kills, {len(codes)} codes, {len(lost)} without tokens at first, {late} of them still good")
    # One transaction: a code is used and has its grant, or neither.
    [row] = server.house.sql(
        "SELECT COUNT(*) AS codes, COUNT(DISTINCT grant_id) AS grants FROM oauth_codes WHERE redeemed_at IS NOT NULL")
    assert row["codes"] == row["grants"], "each used code has its one grant"
    assert grants(server, app) - known == row["codes"]
    [half] = server.house.sql(
        "SELECT COUNT(*) AS n FROM oauth_codes WHERE redeemed_at IS NOT NULL AND grant_id NOT IN"
        " (SELECT grant_id FROM oauth_refresh_tokens)")
    assert half["n"] == 0, "no grant is without its tokens"
    # And now all of them are used up.
    for code in codes:
        refused(app.redeem(code), "invalid_grant")


def test_no_code_is_good_twice_when_the_power_fails(server):
    """MariaDB is killed while codes are redeemed: what was answered was on disk."""
    app = server.register()
    codes = [app.code() for _ in range(40)]
    good = []

    def redeem(code):
        answer = attempt(lambda: app.redeem(code))
        if answer is not None and answer.status_code == 200:
            good.append((code, answer.json()))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(redeem, code) for code in codes]
        until(lambda: len(good) >= 5, 60, "some tokens")
        server.house.database.stop(signal.SIGKILL)
        server.house.database.start()
        for one in waiting:
            one.result(120)
    until(lambda: requests.get(server.house.url("/health/ready"), timeout=10).status_code == 200, 60, "readiness")
    print(f"{len(good)} of {len(codes)} codes had been redeemed")
    for code, body in good:
        assert stubborn(lambda body=body: server.ask(body["access_token"])).status_code == 200, "what was answered stays"
    had = {code for code, _ in good}
    for code in codes:
        answer = stubborn(lambda code=code: app.redeem(code))
        assert answer.status_code == 400 or code not in had, "a code that gave tokens gives no more"
        refused(stubborn(lambda code=code: app.redeem(code)), "invalid_grant")


def test_of_many_who_redeem_one_code_one_succeeds(server):
    app = server.register()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for _ in range(ROUNDS):
            code = app.code()
            answers = [one.status_code for one in pool.map(lambda _, code=code: app.redeem(code), range(32))]
            assert sorted(answers) == [200] + [400] * 31


def test_fifty_refreshes_at_once_have_one_successor(server):
    app, public = server.register(), server.register(confidential=False)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        for one in (app, public):
            got = one.tokens()
            for _ in range(3):
                token = got["refresh_token"]
                answers = list(pool.map(lambda _, one=one, token=token: one.refresh(token), range(50)))
                assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers][:2]
                pairs = {(answer.json()["access_token"], answer.json()["refresh_token"]) for answer in answers}
                assert len(pairs) == 1, "one successor, given to all"
                got = answers[0].json()
                assert {server.ask(got["access_token"]).status_code for _ in range(8)} == {200}
    # Nobody was taken for a thief.
    assert not server.house.sql("SELECT 1 FROM oauth_grants WHERE revoked_at IS NOT NULL")


def test_refreshes_survive_the_death_of_workers(server):
    """A client that gets no answer asks again, and its access lives on."""
    app = server.register()
    chains = [app.tokens() for _ in range(6)]

    def go_on(got):
        steps = 0
        while not ended.is_set() and steps < 200:
            answer = stubborn(lambda got=got: app.refresh(got["refresh_token"]))
            assert answer.status_code == 200, answer.text
            got, steps = answer.json(), steps + 1
        return got, steps

    ended = threading.Event()
    with Reaper(server.house) as reaper, concurrent.futures.ThreadPoolExecutor(6) as pool:
        running = [pool.submit(go_on, got) for got in chains]
        until(lambda: reaper.kills >= KILLS or any(one.done() for one in running), 300, "the kills")
        ended.set()
        done = [one.result(120) for one in running]
    print(f"{reaper.kills} kills, {sum(steps for _, steps in done)} refreshes")
    until(lambda: len(server.house.workers()) == WORKERS, 60, "workers")
    for got, steps in done:
        assert steps > 0 and server.ask(got["access_token"]).status_code == 200
    assert not server.house.sql("SELECT 1 FROM oauth_grants WHERE revoked_at IS NOT NULL")


def test_a_lost_answer_to_a_refresh_loses_nothing(server):
    """The client goes away while it is answered: it asks again, and gets what it would have got."""
    app = server.register()
    got = app.tokens()
    with contextlib.suppress(requests.RequestException):
        app.post("token", {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}, stream=True).close()
    second = app.refresh(got["refresh_token"])
    third = app.refresh(got["refresh_token"])
    assert second.status_code == third.status_code == 200
    assert second.json()["refresh_token"] == third.json()["refresh_token"]

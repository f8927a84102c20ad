"""Nothing that was acknowledged is lost, whatever is killed; what comes twice was in hand at a kill."""

import contextlib
import os
import signal
import time

import pytest

from counting import Counting
from house import freeze, until
from publishing import SETTINGS, Alone, Publishers, background, subscribe

pytestmark = pytest.mark.alone

# `HUB_TEST_EVENTS=100000` is the long form, with ten webhooks.
EVENTS = int(os.environ.get("HUB_TEST_EVENTS", "2000"))
# As many as the hub sends to one receiver at once when nobody says otherwise.
AT_ONCE = 32
LONG = EVENTS >= 10_000
# How many webhooks, and how many receivers they lead to.
WEBHOOKS, RECEIVERS = (10, 10) if LONG else (3, 1)
# In the short form receivers and publishers take their time, so that every kill and restart meets something.
DELAY, PAUSE, BATCH = (0, 0, 100) if LONG else (0.1, 0.05, 5)
# At which kill MariaDB is restarted, once as if the power had failed and once in good order.
OUTAGES = {10: signal.SIGKILL, 30: signal.SIGTERM} if LONG else {2: signal.SIGKILL, 4: signal.SIGTERM}
KILLS = 6


class Dispatchers:
    """The supervised `hub work` and one more beside it, both killed together."""

    def __init__(self, house):
        self.house, self.count, self.kills = house, 0, 0
        # (webhook, event, claim) of all that was claimed and not yet noted at a kill: they alone may come twice.
        self.in_hand, self.most = set(), 0
        self.beside = None
        self.start()

    def start(self):
        self.count += 1
        self.beside = Alone(self.house, f"beside-{self.count % 2}")

    def kill(self):
        victims = [self.beside.pid, *background(self.house)]
        for victim in victims:
            # The supervisor may have ended one that hung while MariaDB was away.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                freeze(victim)
        held = self.house.sql(
            "SELECT HEX(webhook_id) AS webhook, HEX(event_id) AS event, HEX(lease_token) AS claim FROM deliveries"
            " WHERE state = 'waiting' AND lease_token IS NOT NULL AND next_at > UTC_TIMESTAMP(6)")
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        # What an earlier one had in hand when it was killed rests until its lease ends.
        fresh = {(row["webhook"], row["event"], row["claim"]) for row in held} - self.in_hand
        self.in_hand |= fresh
        self.most = max(self.most, len(fresh))
        self.beside.process.wait()
        self.kills += 1


def plain(id):
    return id.replace("-", "").upper()


def test_whatever_is_killed_each_acknowledged_event_reaches_each_subscriber(make_house):
    house = make_house(workers=2, settings=SETTINGS)
    api = house.api()
    with Counting(house.folder / "counting", RECEIVERS, DELAY) as counting:
        paths = {f"/{n}": plain(subscribe(api, f"{counting.urls[n % RECEIVERS]}/{n}", "custom.*")["id"]) for n in range(WEBHOOKS)}
        wanted = EVENTS * len(paths)
        dispatchers = Dispatchers(house)
        began = time.monotonic()
        publishers = Publishers(house, house.create_key("events:write"), EVENTS, batch=BATCH, pause=PAUSE)
        # Killed every two seconds, as long as there is anything to deliver; in the short form so many times.
        while counting.look() < wanted and (LONG or dispatchers.kills < KILLS):
            beat = began + 2 * (dispatchers.kills + 1)
            until(lambda: time.monotonic() > beat, 10)
            how = OUTAGES.pop(dispatchers.kills + 1, None)
            dispatchers.kill()
            if how:
                house.database.stop(how)
                house.database.start()
            dispatchers.start()
        publishers.wait()
        # Nobody is killed any more. For what the killed had in hand, the minute of its lease passes.
        house.sql("UPDATE deliveries SET next_at = UTC_TIMESTAMP(6) WHERE state = 'waiting'")
        until(lambda: counting.look() == wanted, max(120, EVENTS / 50), "the last delivery",
              lambda: f"{len(counting.came)} of {wanted}")
        until(lambda: house.sql("SELECT COUNT(*) AS n FROM deliveries WHERE state <> 'delivered'")[0]["n"] == 0,
              90, "the last outcome")
        dispatchers.beside.stop()
        took = time.monotonic() - began
        counting.look()
    came = counting.came
    twice = {key: count for key, count in came.items() if count > 1}
    print(f"{EVENTS} events to {len(paths)} webhooks in {took:.0f} s: {dispatchers.kills} kills, {2 - len(OUTAGES)} restarts of"
          f" MariaDB, {sum(twice.values()) - len(twice)} came again of {len(dispatchers.in_hand)} that were in hand,"
          f" at most {dispatchers.most} at once; refusals {publishers.refusals}")
    assert not OUTAGES and dispatchers.kills >= KILLS
    assert not counting.wrong, "the id in the header is that of the event"
    assert len(publishers.acknowledged) == EVENTS
    assert {(path, id) for path in paths for id in publishers.acknowledged.values()} == set(came)
    in_hand = {(webhook, event) for webhook, event, _ in dispatchers.in_hand}
    stray = [key for key in twice if (paths[key[0]], plain(key[1])) not in in_hand]
    assert not stray, f"{len(stray)} came twice and were in nobody's hands at a kill, such as {stray[:3]}"
    assert sum(twice.values()) - len(twice) <= len(dispatchers.in_hand)
    assert dispatchers.most <= 2 * AT_ONCE * RECEIVERS, "no more is in hand than may be under way in two processes"

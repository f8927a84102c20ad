"""What webhooks cost: events taken beside rows that MariaDB takes, deliveries beside requests that their receiver takes,
and how long an event waits for its first attempt."""

import http.client
import json
import os
import pathlib
import queue
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))

from house import House, MariaDB, free_port, until  # noqa: E402
from publishing import subscribe  # noqa: E402

import keys  # noqa: E402
from measuring import LANES, WORKERS, children, hold, processor_seconds  # noqa: E402

# Rounds of a few seconds, each beside its limit in the same round.
ROUNDS = int(os.environ.get("WEBHOOK_ROUNDS", "3"))
SECONDS = int(os.environ.get("WEBHOOK_SECONDS", "5"))
CLIENTS, BATCH, PACE = 16, 1_000, 300

# What the figures are held against, on two cores.
LEAST_SINGLE, LEAST_DELIVERED, MOST_MEDIAN, MOST_LATE = 2_000, 1_500, 50, 500

SETTINGS = {"HUB_WEBHOOK_ALLOW_HTTP": "yes", "HUB_ALLOW_NETWORKS": "127.0.0.0/8"}

# A receiver that costs as little as can be.
RECEIVER = """
server {{
    listen 127.0.0.1:{port} backlog=1024;
    access_log off;
    keepalive_requests 1000000;
    location / {{ return 204; }}
}}
"""


class Bench:
    """A house with one webhook, and the processor time that each part of it uses."""

    def __init__(self, house, key, folder, port):
        self.house, self.key, self.folder, self.port = house, key, folder, port
        self.spent_on_delivery = 0
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.webhook = subscribe(house.api(key), f"http://127.0.0.1:{port}/hook", "custom.bench")
        event = {"type": "custom.bench", "data": {"order": "o-1", "amount": 1999, "currency": "EUR", "note": "x" * 60}}
        self.bodies = {1: json.dumps(event), BATCH: json.dumps({"events": [event] * BATCH})}
        # A server for so many rows; the tests' own is made small, since there are many of them.
        for setting in ("innodb_buffer_pool_size = 536870912", "innodb_log_file_size = 536870912"):
            house.sql(f"SET GLOBAL {setting}")
        for table in ("events", "deliveries"):
            house.sql(f"CREATE TABLE bench_{table} LIKE {table}")
        subprocess.run(["cc", "-O2", "-o", folder / "insert", pathlib.Path(__file__).parent / "insert.c",
                        *subprocess.run(["mariadb_config", "--cflags", "--libs"], capture_output=True, text=True,
                                        check=True).stdout.split(), "-lpthread"], check=True)

    # --- the parts

    def spent(self):
        """Seconds of processor time that all of them have used so far."""
        return processor_seconds([*children(self.house.nginx.pid), *(pid for pid, _ in self.house.children()),
                                  self.house.database.process.pid])

    def active(self, is_active):
        answer = self.house.api(self.key).patch(f"/webhooks/{self.webhook['id']}", {"active": is_active})
        assert answer.status_code == 200, answer.text

    def clear(self):
        for table in ("deliveries", "events", "delivery_attempts", "bench_events", "bench_deliveries"):
            self.house.sql(f"TRUNCATE TABLE {table}")

    def wrk(self, url, body, headers, clients=CLIENTS):
        """Requests a second, and the median and the 99th percentile in milliseconds."""
        lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
        script = self.folder / "post.lua"
        (self.folder / "body").write_text(body)
        script.write_text("\n".join(
            ['wrk.method = "POST"', f'wrk.body = io.open("{self.folder}/body"):read("*a")', *lines]))
        done = subprocess.run(
            ["wrk", "-c", str(clients), "-t", "1", "-d", f"{SECONDS}s", "--timeout", "30s", "--latency", "-s", script, url],
            capture_output=True, text=True, check=True)
        assert "Non-2xx" not in done.stdout and "Socket errors" not in done.stdout, done.stdout
        return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])

    def inserted(self, events):
        url = urllib.parse.urlsplit(self.house.settings["HUB_DATABASE_URL"])
        done = subprocess.run(
            [self.folder / "insert", self.house.database.socket, url.username, url.password, str(CLIENTS if events == 1 else 2),
             str(SECONDS), str(events)], capture_output=True, text=True, check=True)
        return float(done.stdout)

    def accepted(self, events):
        path = "/api/v1/events" + ("" if events == 1 else "/batch")
        return events * self.wrk(self.house.url(path), self.bodies[events], self.headers, CLIENTS if events == 1 else 2)

    def delivered(self, count):
        """Deliveries a second while so many wait from the start, each attempt logged."""
        waiting = lambda: self.house.sql(  # noqa: E731
            "SELECT COUNT(*) AS n FROM deliveries WHERE state = 'waiting'")[0]["n"]
        api = self.house.api(self.key)
        while waiting() < count:
            assert api("POST", "/events/batch", data=self.bodies[BATCH],
                       headers={"Content-Type": "application/json"}).status_code == 202
        count = waiting()
        spent, began = self.spent(), time.monotonic()
        self.active(True)
        until(lambda: time.sleep(0.1) or waiting() == 0, 300, "the last delivery")
        rate, self.spent_on_delivery = count / (time.monotonic() - began), (self.spent() - spent) / count
        [logged] = self.house.sql("SELECT COUNT(*) AS n FROM delivery_attempts WHERE status = 204")
        assert logged["n"] == count, f"{logged['n']} attempts are logged of {count}"
        return rate

    def raw(self):
        return self.wrk(f"http://127.0.0.1:{self.port}/hook", self.bodies[1], {"content-type": "application/json"}, 32)

    def waits(self):
        """Milliseconds from each publication to the first attempt, at a steady pace."""
        self.active(True)
        turns = queue.SimpleQueue()

        def publish():
            client = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=30)
            while turns.get():
                client.request("POST", self.house.mount + "/api/v1/events", self.bodies[1], self.headers)
                answer = client.getresponse()
                answer.read()
                assert answer.status == 202, answer.status

        threads = [threading.Thread(target=publish) for _ in range(8)]
        for thread in threads:
            thread.start()
        began, count = time.monotonic(), PACE * SECONDS * 2
        for number in range(count):
            time.sleep(max(0, began + number / PACE - time.monotonic()))
            turns.put(True)
        for _ in threads:
            turns.put(False)
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        until(lambda: self.house.sql("SELECT COUNT(*) AS n FROM delivery_attempts")[0]["n"] >= count, 60, "the attempts")
        rows = self.house.sql(
            "SELECT TIMESTAMPDIFF(MICROSECOND, e.created_at, MIN(a.started_at)) AS us FROM events e"
            " JOIN deliveries d ON d.event_id = e.id JOIN delivery_attempts a ON a.delivery_id = d.id GROUP BY e.id")
        assert len(rows) == count
        waits = statistics.quantiles([row["us"] / 1_000 for row in rows], n=100)
        return count / took, waits[49], waits[98]


def measure(house, key, folder, port):
    """Prints the table and returns what is to hold: (name, value, relation, bound)."""
    bench = Bench(house, key, folder, port)
    figures, costs = {}, {}
    for _ in range(ROUNDS):
        for name, act in {
            "MariaDB, rows of an event": lambda: bench.inserted(1),
            "events, one by one": lambda: bench.accepted(1),
            "MariaDB, a thousand each": lambda: bench.inserted(BATCH),
            "events, a thousand each": lambda: bench.accepted(BATCH),
            "wrk to the receiver": bench.raw,
            "deliveries": lambda: bench.delivered(10_000),
        }.items():
            bench.active(False)
            bench.clear()
            spent = bench.spent()
            figures.setdefault(name, []).append(act())
            took = bench.spent_on_delivery if name == "deliveries" else (
                (bench.spent() - spent) / figures[name][-1] / SECONDS)
            costs.setdefault(name, []).append(1_000_000 * took)
        bench.clear()
        for name, value in zip(("pace", "median", "late"), bench.waits()):
            figures.setdefault(name, []).append(value)
    middle = {name: statistics.median(some) for name, some in figures.items()}
    print(f"\nwebhooks: {ROUNDS} rounds of {SECONDS} s, one webhook; medians\n")
    print(f"{'':28}{'a second':>10}{'/ limit':>10}{'CPU µs':>10}")
    for limit, name in (("MariaDB, rows of an event", "events, one by one"),
                        ("MariaDB, a thousand each", "events, a thousand each"), ("wrk to the receiver", "deliveries")):
        ratio = statistics.median(one / most for one, most in zip(figures[name], figures[limit]))
        for row, share in ((limit, 1), (name, ratio)):
            print(f"{row:28}{middle[row]:>10,.0f}{share:>10.2f}{statistics.median(costs[row]):>10,.0f}")
    print(f"at {middle['pace']:.0f} events a second the first attempt begins after {middle['median']:.1f} ms in the middle,"
          f" {middle['late']:.1f} ms at p99\n")
    return [
        ("single events a second", middle["events, one by one"], ">=", LEAST_SINGLE),
        ("deliveries a second", middle["deliveries"], ">=", LEAST_DELIVERED),
        ("first attempt, ms", middle["median"], "<", MOST_MEDIAN),
        ("first attempt p99, ms", middle["late"], "<", MOST_LATE),
    ]


def main():
    with tempfile.TemporaryDirectory(prefix="hub-bench.") as name:
        folder, port = pathlib.Path(name), free_port()
        MariaDB.prepare(folder)
        house = House(folder / "house", workers=WORKERS, settings={"HUB_LANES": LANES, **SETTINGS},
                      http=RECEIVER.format(port=port))
        try:
            house.start()
            key = house.create_key("admin:*", name="bench")
            keys.raise_limits(house)
            held = hold(measure(house, key, folder, port))
        finally:
            house.stop()
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()

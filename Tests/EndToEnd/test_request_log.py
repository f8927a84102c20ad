"""The request log: everything that was answered, once, whatever is killed; and its figures."""

import contextlib
import itertools
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import time

import pytest
import requests

from house import until

HERE = pathlib.Path(__file__).parent
# `HUB_TEST_REQUESTS=1000000` and `HUB_TEST_LOG_ROWS=10000000` are the long forms.
REQUESTS = int(os.environ.get("HUB_TEST_REQUESTS", "20000"))
# Seconds between kills: the supervisor replaces what crashes too often ever more slowly, which a long form would wait for.
DISTANCE = 1 if REQUESTS < 100_000 else 4
ROWS = int(os.environ.get("HUB_TEST_LOG_ROWS", "100000"))


class Askers:
    """Clients that ask until they have so many answers in all; the id of each answer that came whole is noted."""

    CLIENTS = 8
    LINE = 33

    def __init__(self, house, key, count):
        self.folder, self.count = house.folder / "askers", count
        self.folder.mkdir()
        self.answered, self.others, self.cut_off = [], 0, 0
        self.command = [
            "wrk", "-c", str(self.CLIENTS), "-t", "2", "-d", "2h", "--timeout", "60s", "-s", HERE / "askers.lua",
            "-H", f"Authorization: Bearer {key}", house.url("/api/v1/connections?limit=1"), "--", self.folder]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=60)
        self.others, self.cut_off = map(int, re.search(r"OTHERS (\d+) CUT (\d+)", said).groups())
        self.answered = [line for path in self.folder.iterdir() for line in path.read_text().splitlines()]
        assert {len(line) for line in self.answered} == {self.LINE - 1}

    def far(self):
        """How many answers there are by now."""
        return sum(path.stat().st_size for path in self.folder.iterdir()) // self.LINE

    def enough(self):
        return self.far() >= self.count


def background(house):
    return [pid for pid, command in house.children() if command[1:2] == ["work"]]


def spool(house):
    return [path for path in (house.folder / "spool").iterdir() if path.suffix == ".spool"]


def count(house, where="TRUE"):
    return house.sql(f"SELECT COUNT(*) AS n FROM request_logs WHERE {where}")[0]["n"]


def wait_taken_in(house, ids):
    """Waits for the log to hold so many answered requests as there are ids."""
    wanted, held = len(ids), lambda: count(house, "status = 200")
    until(lambda: held() >= wanted, 120 + wanted / 5_000, "the requests in the log", lambda: f"but {held()} of {wanted}")


def assert_figures_equal_log(house):
    logged = house.sql("SELECT COUNT(*) AS n, COALESCE(SUM(status >= 400), 0) AS failed, "
                       "COALESCE(SUM(microseconds), 0) AS us, COALESCE(SUM(bytes), 0) AS bytes FROM request_logs")[0]
    for table in ("usage_minutes", "usage_hours", "usage_days"):
        for condition in ("subject = REPEAT(CHAR(0), 16) AND breakdown = 0", "subject <> REPEAT(CHAR(0), 16) AND breakdown = 2"):
            counted = house.sql(
                f"SELECT COALESCE(SUM(requests), 0) AS n, COALESCE(SUM(IF(hundred >= 4, requests, 0)), 0) AS failed, "
                f"COALESCE(SUM(microseconds), 0) AS us, COALESCE(SUM(bytes), 0) AS bytes FROM {table} WHERE {condition}")[0]
            assert counted == logged, f"{table} where {condition}"


@pytest.mark.alone
def test_whatever_is_killed_the_log_holds_every_answered_request_once(make_house):
    # So many that no limit is met, though each request counts.
    limits = {f"HUB_RATE_LIMIT_PER_{window}": 100_000_000 for window in ("MINUTE", "HOUR", "DAY")}
    house = make_house(workers=4, settings=limits)
    key = house.create_key()
    kills = {"worker": 0, "work": 0, "MariaDB": 0}
    dice = random.Random(1)
    began = time.monotonic()
    with Askers(house, key, REQUESTS) as askers:
        next_outage = REQUESTS // 4
        for victim in itertools.cycle(["worker", "work", "worker"]):
            if askers.enough():
                break
            running = house.workers() if victim == "worker" else background(house)
            if running:
                os.kill(dice.choice(running), signal.SIGKILL)
                kills[victim] += 1
            if askers.far() >= next_outage:
                next_outage += max(REQUESTS // 4, 5_000)
                kills["MariaDB"] += 1
                house.database.stop(signal.SIGKILL)
                house.database.start()
            before, rest = askers.far(), time.monotonic() + DISTANCE
            until(lambda: time.monotonic() > rest and askers.far() > before or askers.enough(), 60, "answers")
    took = time.monotonic() - began
    wait_taken_in(house, askers.answered)
    print(f"{len(askers.answered)} answers in {took:.0f} s, {askers.others} others, {askers.cut_off} cut off, kills {kills}")
    assert kills["worker"] and kills["work"] and kills["MariaDB"]
    # Nobody writes any more: what the killed have left is taken in too, and their files go.
    living = len(house.workers())
    until(lambda: len(spool(house)) <= living, 60, "the end of the files of the killed")
    rows = house.sql("SELECT COUNT(*) AS n, COUNT(DISTINCT request_id) AS ids FROM request_logs")[0]
    assert rows["n"] == rows["ids"], "no request stands in the log twice"
    held = {row["request_id"] for row in house.sql("SELECT request_id FROM request_logs WHERE status = 200")}
    missing = set(askers.answered) - held
    assert not missing, f"{len(missing)} answered requests are not in the log, such as {sorted(missing)[:3]}"
    # What was answered and then cut off by the kill of its worker, or by the clients' end, stands there as well, and
    # nothing else does.
    assert rows["n"] <= len(askers.answered) + askers.others + askers.cut_off + askers.CLIENTS
    assert_figures_equal_log(house)


def test_what_is_logged_and_what_is_not(make_house):
    house = make_house()
    api = house.api()
    session = requests.Session()
    ask = lambda method, path, **options: session.request(
        method, house.url(path), headers={"Authorization": f"Bearer {api.key}", **options.pop("headers", {})},
        timeout=30, **options)
    narrow = house.create_key("connections:read", name="narrow")
    logged = [
        ("GET", "/api/v1/connections", 200, ask("GET", "/api/v1/connections?limit=3")),
        ("HEAD", "/api/v1/connections", 200, ask("HEAD", "/api/v1/connections")),
        ("GET", "/api/v1/connections/{id}", 404, ask("GET", "/api/v1/connections/nothing:here")),
        ("GET", "/api/v1/audit-log", 200, ask("GET", "/api/v1/audit-log", headers={"Accept": "text/csv"})),
        ("POST", "/api/v1/connections", 422, ask("POST", "/api/v1/connections", json={"secret": "x"})),
        ("GET", "/api/v1/audit-log", 403,
         ask("GET", "/api/v1/audit-log", headers={"Authorization": f"Bearer {narrow}"})),
        ("GET", "/api/integrations", 200, ask("GET", "/api/integrations/")),
    ]
    ask("GET", "/api/v1/connections", headers={"Authorization": "Bearer sk_nobody"})
    ask("GET", "/health/live")
    ask("GET", "/api/v1/no-such-thing")
    house.sign_in()
    for _, _, status, answer in logged:
        assert answer.status_code == status, answer.text
    until(lambda: count(house) >= len(logged), what="the requests in the log")
    lines = {line["request_id"]: line for line in api.get("/request-logs").json()["data"]}
    assert set(lines) >= {answer.headers["X-Request-Id"] for *_, answer in logged}
    for method, route, status, answer in logged:
        line = lines[answer.headers["X-Request-Id"]]
        assert (line["method"], line["route"], line["status"]) == (method, route, status)
        assert line["address"] == "127.0.0.1" and line["user_agent"].startswith("python-requests/")
        assert line["bytes"] == (0 if method == "HEAD" else len(answer.content)), line
        assert 0 < line["duration_ms"] < 10_000
    assert lines[logged[5][3].headers["X-Request-Id"]]["code"] == "insufficient_scope"
    # Neither strangers, nor signs of life, nor pages: only those above, and the question about them.
    until(lambda: count(house) == len(logged) + 1, what="the question itself in the log")


def test_an_id_that_claims_a_year_beyond_all_calendars_is_not_found(api):
    for id in ("f147d8da-7439-7214-a28a-ff378970729b", "ffffffff-ffff-7fff-bfff-ffffffffffff"):
        assert api.get(f"/request-logs/{id}").status_code == 404


SENTINEL = "SENTINEL5b1d0c7e"


def read_all(paths):
    """What stands in files of which any may be gone by now."""
    found = b""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            found += path.read_bytes()
    return found


def test_neither_key_nor_body_nor_query_value_reaches_the_log(make_house):
    house = make_house()
    api = house.api()
    asked = [
        lambda: api.get(f"/connections?cursor={SENTINEL}&token={SENTINEL}"),
        lambda: api.post("/connections", {"provider": "telegram", "setup": {"bot_token": SENTINEL}}),
        lambda: api.get("/connections", headers={"Cookie": SENTINEL, "X-Else": SENTINEL, "Referer": SENTINEL}),
        lambda: api.get(f"/connections/telegram:default/proxy/x?token={SENTINEL}"),
    ]
    # A token in an address is refused before it is asked whose it is (RFC 9700 §4.3.2): of that no line is kept.
    assert api.get(f"/connections?access_token={SENTINEL}").status_code == 400
    # What is not yet taken in lies in the spool, which is emptied all the time: it is looked through after each.
    spooled, seen = b"", 0
    for request in asked:
        id = request().headers["X-Request-Id"].encode()
        lies = read_all(spool(house))
        spooled, seen = spooled + lies, seen + (id in lies)
    assert seen > 0, "each was taken in before it was looked for"
    until(lambda: count(house) >= len(asked), what="the requests in the log")
    secret = api.key.split("_")[2]
    for text in (SENTINEL, api.key, secret):
        assert text.encode() not in spooled
        assert text.encode() not in house.dump()


def test_an_answer_that_is_cut_off_by_the_reader_is_logged_with_what_was_sent(make_house):
    house = make_house()
    api = house.api()
    with api.get("/audit-log", headers={"Accept": "text/csv"}, stream=True) as answer:
        line = answer.headers["X-Request-Id"]
    until(lambda: count(house, f"request_id = '{line}'") == 1, what="its line")


def fill(house, rows):
    """Puts requests of the last thirty days into the log, and their counts, by SQL alone."""
    organization = house.sql("SELECT id FROM organizations")[0]["id"]
    actor = "UNHEX(CONCAT('0197c2f400007000', LPAD(HEX(s.seq %% 10), 16, '0')))"
    route = "CONCAT('/api/v1/thing-', s.seq %% 40)"
    at = f"UTC_TIMESTAMP(6) - INTERVAL 2592000 SECOND + INTERVAL s.seq * {2591990000000 // rows} MICROSECOND"
    milliseconds = f"(UNIX_TIMESTAMP() * 1000 - 2592000000 + FLOOR(s.seq * {2591990000 / rows:.6f}))"
    step = 500_000
    if rows > step:
        # A server for so many: the tests' own is made small, since there are many of them.
        house.sql("SET GLOBAL innodb_buffer_pool_size = 536870912")
        house.sql("SET GLOBAL innodb_log_file_size = 536870912")
    for start in range(1, rows + 1, step):
        house.sql(f"""
            INSERT INTO request_logs (id, at, organization_id, surface, actor_kind, actor_id, method, route, path, status,
                                      microseconds, bytes, address, user_agent, request_id, code)
            SELECT UNHEX(CONCAT(LPAD(HEX({milliseconds}), 12, '0'), '7000', LPAD(HEX(s.seq), 16, '8'))), {at}, %s, 'api',
                   'api_key', {actor}, 'GET', {route}, {route}, IF(s.seq %% 50 = 0, 404, 200), 1000 + s.seq %% 90000,
                   500, '203.0.113.9', 'curl/8.5.0', RPAD(LPAD(HEX(s.seq), 8, '0'), 32, '0'), ''
              FROM seq_{start}_to_{min(rows, start + step - 1)} s""",
                  organization)
    pairs = "UNHEX('" + "".join(f"{24 + 3 * n:02x}64" for n in range(20)) + "')"
    for subject, breakdown, label, latency in (
            ("REPEAT(CHAR(0), 16)", 0, "''", pairs),
            ("REPEAT(CHAR(0), 16)", 1, "CONCAT('api_key ', LOWER(HEX(r.actor_id)))", "''"),
            ("REPEAT(CHAR(0), 16)", 2, "CONCAT(r.method, ' ', r.route)", "''"),
            ("r.actor_id", 0, "''", pairs),
            ("r.actor_id", 2, "CONCAT(r.method, ' ', r.route)", "''")):
        house.sql(f"""
            INSERT INTO usage_hours
            SELECT r.organization_id, {subject} AS subject, {breakdown}, DATE_FORMAT(r.at, '%%Y-%%m-%%d %%H:00:00') AS moment,
                   {label} AS label, FLOOR(r.status / 100) AS hundred, COUNT(*), SUM(r.microseconds), SUM(r.bytes), {latency}
              FROM request_logs r
             WHERE r.organization_id = %s
             GROUP BY r.organization_id, subject, moment, label, hundred""", organization)
    house.sql("""
        INSERT INTO usage_days
        SELECT u.organization_id, u.subject, u.breakdown, DATE(u.at) AS moment, u.label, u.hundred, SUM(u.requests),
               SUM(u.microseconds), SUM(u.bytes), MIN(u.latency)
          FROM usage_hours u
         GROUP BY u.organization_id, u.subject, u.breakdown, moment, u.label, u.hundred""")


@pytest.mark.alone
def test_figures_do_not_wait_for_the_size_of_the_log(make_house):
    house = make_house()
    api = house.api()
    fill(house, ROWS)
    times, medians = {}, {}
    for name, path in {
        "usage, 30 days": "/usage",
        "usage, one key": "/usage?api_key_id=0197c2f4-0000-7000-0000-000000000003",
        "usage, 3 days by the hour": f"/usage?start_date={int(time.time() * 1000) - 250_000_000}",
        "log": "/request-logs?limit=50",
        "log, failed": "/request-logs?limit=50&status=failed",
        "log, one key": "/request-logs?limit=50&api_key_id=0197c2f4-0000-7000-0000-000000000003",
        "log, one request": "/request-logs?request_id=" + f"{ROWS // 2:08X}".ljust(32, "0"),
    }.items():
        answer = api.get(path)
        assert answer.status_code == 200, answer.text
        if name == "usage, 30 days":
            assert answer.json()["total_requests"] >= ROWS * 0.99
        if name == "log, one request":
            assert len(answer.json()["data"]) == 1
        took = []
        for _ in range(25):
            began = time.perf_counter()
            api.get(path)
            took.append(1000 * (time.perf_counter() - began))
        # The best of many: what else the machine does meanwhile is not the hub's.
        times[name] = round(min(took), 1)
        medians[name] = round(statistics.median(took), 1)
    size = house.sql("SELECT SUM(data_length) AS data, SUM(index_length) AS indexes FROM information_schema.tables "
                     "WHERE table_schema = 'hub' AND table_name = 'request_logs'")[0]
    print(f"{ROWS} rows, {float(size['data'] + size['indexes']) / ROWS:.0f} bytes each; ms at best:", times, "median:", medians)
    assert max(times.values()) < 50, times

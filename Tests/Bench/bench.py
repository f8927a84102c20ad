"""What a request costs: the hub beside a static file and a bare C responder, in one run on one nginx.

The rounds are interleaved, so that whatever else the machine does meets all of them; a figure is the median, and a ratio
is the median of the rounds' ratios, each taken between neighbours. Beside the rates stands the processor time that a
request took of nginx, the program and wrk together.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))

import fastcgi  # noqa: E402
from house import House, MariaDB, free_port, until  # noqa: E402

import deliveries  # noqa: E402
import incoming  # noqa: E402
import keys  # noqa: E402
import rivals  # noqa: E402
from measuring import LANES, WORKERS, children, hold, processor_seconds  # noqa: E402

# Short rounds, so that what disturbs one row disturbs its neighbour.
ROUNDS = int(os.environ.get("ROUNDS", "15"))
SECONDS = int(os.environ.get("SECONDS_EACH", "1"))
# As many clients as one nginx process keeps connections (`keepalive` of nginx/hub-upstream.conf). With more, chance
# decides in each round how many fall to one process, and whether up to a quarter of a row's requests begin by connecting.
CLIENTS, THREADS = 16, 2

# What the figures are held against.
LEAST_RATIO, MOST_MEGABYTES, MOST_MILLISECONDS = 0.85, 40, 300
# The gate beside C libfcgi, PHP-FPM and Django, and with a million keys beside a thousand. MANY_KEYS says how many.
GATE_RATIO, PHP_RATIO, DJANGO_RATIO, MANY_RATIO = 0.75, 1.5, 20, 0.9
MANY_KEYS = int(os.environ.get("MANY_KEYS", "1000000"))

UPSTREAM = """
upstream bench_ok {{
    server unix:{socket} max_fails=0;
    keepalive 16;
    keepalive_requests 100000;
}}
upstream bench_provider {{
    server 127.0.0.1:{provider};
    keepalive 16;
    keepalive_requests 100000;
}}
server {{
    listen 127.0.0.1:{provider};
    access_log off;
    default_type application/json;
    location / {{ return 200 '{{"data":{{"total_credits":1}}}}'; }}
}}
"""

# The C responder gets the same parameters, buffers and log as the hub.
SITE = """
root {folder};
location = /bench/static {{ alias {folder}/static.txt; default_type text/plain; }}
location = /bench/ok {{
{directives}
}}
# The question to the gate as gate.conf sends it, but answered to wrk itself.
location = /bench/gate {{
    set $hub_gate_scope "items:read";
{question}
}}
# A file behind the least that auth_request can ask, and behind the gate with all that gated.conf does.
location = /bench/ok-file {{ auth_request /bench/ok; alias {folder}/static.txt; default_type text/plain; }}
location = /bench/gated-file {{
    set $hub_scope "items:read";
    include {root}/nginx/gated.conf;
    alias {folder}/static.txt;
    default_type text/plain;
}}
# A provider on this host, as nginx alone would pass calls on to it.
location = /bench/passed {{
    proxy_pass http://bench_provider/api/v1/credits;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
}}
"""


def directives():
    """The lines of nginx/hub.conf that say how to speak FastCGI."""
    lines = (ROOT / "nginx" / "hub.conf").read_text().splitlines()
    kept = [line for line in lines if line.startswith("fastcgi_") and "fastcgi_pass" not in line]
    return "\n".join(["fastcgi_pass bench_ok;", *kept])


def question():
    """The lines of nginx/gate.conf by which the gate is asked."""
    lines = [line.strip() for line in (ROOT / "nginx" / "gate.conf").read_text().splitlines()]
    return "\n".join(line for line in lines if line.startswith("fastcgi_"))


def wrk(url, header, processes, script=None, clients=CLIENTS, seconds=SECONDS):
    """Requests a second, the 99th percentile in milliseconds, and microseconds of processor time a request."""
    before = processor_seconds(processes)
    done = subprocess.run(
        ["wrk", "-c", str(clients), "-t", str(min(THREADS, clients)), "-d", f"{seconds}s", "--timeout", "30s", "--latency",
         *(("-H", header) if header else ()), *(("-s", script) if script else ()), url],
        capture_output=True, text=True, check=True)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    socket_errors = re.search(r"Socket errors: (.*)", done.stdout)
    assert not failed and not socket_errors, f"{url}: {done.stdout}"
    count = int(re.search(r"(\d+) requests in", done.stdout)[1])
    spent = (processor_seconds(processes) - before) / count * 1_000_000
    return rate, float(late[1]) * {"us": 0.001, "ms": 1, "s": 1000}[late[2]], spent


def resting(house):
    """Megabytes that each worker holds; pages shared with the others count in each."""
    sizes = []
    for pid in house.workers():
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        sizes.append(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024)
    return max(sizes)


def first_answer(house):
    """Milliseconds from the start of `hub serve` to its first answer, at the hub's own socket."""
    figures = []
    for _ in range(5):
        house.supervisor.terminate()
        house.supervisor.wait(60)
        began = time.monotonic()
        house.start_hub()

        def answered():
            assert house.supervisor.poll() is None, house.log_text()[-1000:]
            try:
                with fastcgi.Connection(house.socket) as connection:
                    return connection.send(fastcgi.request()).answer()[0] == 200
            except (OSError, EOFError):
                return False

        until(answered, 30)
        figures.append((time.monotonic() - began) * 1000)
    return statistics.median(figures)


def measure(house, key, responder, others):
    processes = [*children(house.nginx.pid), *house.workers(), *children(responder.pid), house.database.process.pid,
                 *(pid for other in others.values() for pid in other.children())]
    person = house.sign_in()
    cookie = "; ".join(f"{c.name}={c.value}" for c in person.session.cookies)
    rows = {
        "static file": (house.origin + "/bench/static", None),
        'C libfcgi "ok"': (house.origin + "/bench/ok", None),
        "/health/live": (house.url("/health/live"), None),
        "JSON, 50 connections": (house.url("/api/v1/connections?limit=50"), f"Authorization: Bearer {key}"),
        "page, 50 connections": (house.url("/connections"), f"Cookie: {cookie}"),
        "gate": (house.origin + "/bench/gate", f"Authorization: Bearer {key}"),
        "a file behind C ok": (house.origin + "/bench/ok-file", f"Authorization: Bearer {key}"),
        "a file behind the gate": (house.origin + "/bench/gated-file", f"Authorization: Bearer {key}"),
        "nginx proxy_pass": (house.origin + "/bench/passed", None),
        "proxy of a connection": (
            house.url("/api/v1/connections/openrouter/proxy/api/v1/credits"), f"Authorization: Bearer {key}"),
        **{other.name: (url, other.header) for url, other in others.items()},
    }
    figures = {name: [] for name in rows}
    for number in range(ROUNDS):
        print(f"\rround {number + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
        for name, (url, header) in rows.items():
            figures[name].append(wrk(url, header, processes))
    print("\r" + " " * 20 + "\r", end="", file=sys.stderr)
    return figures


def many_keys(house, processes):
    """The gate with a thousand keys in the table and then with very many, a thousand of them in use each time.

    Each round is put beside one of the C responder just before, so that what the machine does meanwhile matters less.
    """
    ratios = []
    for count in (1_000, MANY_KEYS):
        used = keys.fill(house, count)
        script = keys.script(house.folder, used)
        # Each worker meets each key once, which is not what is measured.
        wrk(house.origin + "/bench/gate", None, processes, script)
        rounds = []
        for _ in range(max(3, ROUNDS // 3)):
            least = wrk(house.origin + "/bench/ok", None, processes)[0]
            rounds.append(wrk(house.origin + "/bench/gate", None, processes, script)[0] / least)
        ratios.append(statistics.median(rounds))
        print(f"gate, {count:,} keys in the table, 1,000 in use: {ratios[-1]:.2f} of C ok")
    return ratios[1] / ratios[0]


def report(figures, megabytes, milliseconds, many):
    medians = {name: [statistics.median(column) for column in zip(*some)] for name, some in figures.items()}
    least = [rate for rate, _, _ in figures['C libfcgi "ok"']]
    ratios = {name: statistics.median(rate / other for (rate, _, _), other in zip(some, least))
              for name, some in figures.items()}
    print(f"{ROUNDS} interleaved rounds of {SECONDS} s, wrk -c {CLIENTS} -t {THREADS}, {os.cpu_count()} cores; medians\n")
    print(f"{'':24}{'req/s':>10}{'/ C ok':>10}{'p99 ms':>10}{'CPU µs':>10}")
    for name, (rate, late, spent) in medians.items():
        print(f"{name:24}{rate:>10,.0f}{ratios[name]:>10.2f}{late:>10.1f}{spent:>10.0f}")
    checks = [
        ("/health/live / C ok", ratios["/health/live"], ">=", LEAST_RATIO),
        ("a resting worker, MB", megabytes, "<", MOST_MEGABYTES),
        ("start to first answer, ms", milliseconds, "<", MOST_MILLISECONDS),
        ("gate / C ok", ratios["gate"], ">=", GATE_RATIO),
        ("many keys / 1,000 keys", many, ">=", MANY_RATIO),
    ]
    for rival, least in ((rivals.PHP82.name, PHP_RATIO), (rivals.Django.name, DJANGO_RATIO)):
        if rival in figures:
            each = [gate / other for (gate, _, _), (other, _, _) in zip(figures["gate"], figures[rival])]
            checks.append((f"gate / {rival}", statistics.median(each), ">=", least))
    return checks


def main():
    with tempfile.TemporaryDirectory(prefix="hub-bench.") as name:
        folder = pathlib.Path(name)
        MariaDB.prepare(folder)
        (folder / "static.txt").write_text("ok\n")
        subprocess.run(["cc", "-O2", "-o", folder / "ok", ROOT / "Tests" / "Bench" / "ok.c", "-lfcgi", "-lpthread"],
                       check=True)
        socket, provider, receiver = folder / "ok.sock", free_port(), free_port()
        origins = folder / "origins.json"
        origins.write_text(json.dumps({"https://openrouter.ai": f"http://127.0.0.1:{provider}"}))
        responder = subprocess.Popen([folder / "ok", socket, str(WORKERS), str(LANES)])
        candidates = [rivals.PHP82(folder), rivals.Django(folder)]
        reasons = {candidate: candidate.missing() for candidate in candidates}
        chosen = [candidate for candidate in candidates if not reasons[candidate]]
        for reason in filter(None, reasons.values()):
            print(reason)
        site = SITE.format(folder=folder, directives=directives(), question=question(), root=ROOT)
        house = House(folder / "house", workers=WORKERS, settings={"HUB_LANES": LANES, "HUB_ORIGIN_MAP": origins, **deliveries.SETTINGS},
                      site=site + "".join(candidate.location() for candidate in chosen),
                      http=UPSTREAM.format(socket=socket, provider=provider) + deliveries.RECEIVER.format(port=receiver))
        others = {}
        try:
            house.start()
            megabytes = resting(house)
            key = house.create_key("admin:*", name="bench")
            keys.raise_limits(house)
            others = {candidate.start(house, key): candidate for candidate in chosen}
            api = house.api(key)
            for number in range(50):
                api.create("telegram", {"bot_token": "123456789:" + "a" * 35}, name=f"bench-{number}")
            api.create("openrouter", {"api_key": "sk-or-v1-" + "a" * 40})
            figures = measure(house, key, responder, others)
            processes = [*children(house.nginx.pid), *house.workers(), *children(responder.pid)]
            many = many_keys(house, processes)
            webhooks = deliveries.measure(house, key, folder, receiver)
            others_webhooks = incoming.measure(house, key, folder)
            held = hold(report(figures, megabytes, first_answer(house), many) + webhooks + others_webhooks)
        finally:
            for other in others.values():
                other.stop()
            house.stop()
            responder.terminate()
            responder.wait()
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()

"""What webhooks of other services cost: taken and committed, beside the rows that MariaDB takes."""

import hashlib
import hmac
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))

from house import House, MariaDB  # noqa: E402

import keys  # noqa: E402
from measuring import LANES, WORKERS, hold  # noqa: E402

ROUNDS = int(os.environ.get("INBOUND_ROUNDS", "3"))
SECONDS = int(os.environ.get("INBOUND_SECONDS", "5"))
CLIENTS = 32

# What the figures are held against, on two cores.
LEAST, MOST_LATE = 2_000, 100

# Each request is another event, as GitHub names them; what is signed is the body alone.
SCRIPT = """
wrk.method = "POST"
wrk.body = io.open("{body}"):read("*a")
local thread = 0
function setup(made) made:set("number", thread); thread = thread + 1 end
local count = 0
function request()
    count = count + 1
    local headers = {{
        ["Content-Type"] = "application/json", ["X-GitHub-Event"] = "push",
        ["X-Hub-Signature-256"] = "sha256={signature}",
        ["X-GitHub-Delivery"] = string.format("{round}-%d-%d", number, count),
    }}
    return wrk.format(nil, nil, headers, nil)
end
"""


def wrk(url, script):
    """Requests a second, and the median and the 99th percentile in milliseconds."""
    done = subprocess.run(["wrk", "-c", str(CLIENTS), "-t", "1", "-d", f"{SECONDS}s", "--timeout", "30s", "--latency",
                           "-s", script, url], capture_output=True, text=True, check=True)
    assert "Non-2xx" not in done.stdout and "Socket errors" not in done.stdout, done.stdout

    def late(share):
        found = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", done.stdout)
        return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]

    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]), late(50), late(99), int(
        re.search(r"(\d+) requests in", done.stdout)[1])


def measure(house, key, folder):
    """Prints the figures and returns what is to hold: (name, value, relation, bound)."""
    api = house.api(key)
    secret = "It's a Secret to Everybody"
    made = api.post("/inbound-sources", {"provider": "github", "secret": secret, "per_minute": 1_000_000}).json()
    body = json.dumps({"ref": "refs/heads/main", "commits": [{"id": "x" * 40, "message": "y" * 400}]})
    (folder / "body").write_text(body)
    signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    for setting in ("innodb_buffer_pool_size = 536870912", "innodb_log_file_size = 536870912"):
        house.sql(f"SET GLOBAL {setting}")
    figures = []
    for round in range(ROUNDS):
        script = folder / "inbound.lua"
        script.write_text(SCRIPT.format(body=folder / "body", signature=signature, round=round))
        rate, middle, late, count = wrk(made["url"], script)
        [stored] = house.sql(f"SELECT COUNT(*) AS n FROM inbound_events WHERE event_key LIKE '{round}-%'")
        # wrk hangs up on those that are under way at its end.
        assert count <= stored["n"] <= count + CLIENTS, f"{count} were answered 200 and {stored['n']} are stored"
        figures.append((rate, middle, late))
    rate, middle, late = (statistics.median(some) for some in zip(*figures))
    print(f"\ninbound: {ROUNDS} rounds of {SECONDS} s, {CLIENTS} clients, one source; medians")
    print(f"{rate:,.0f} taken and committed a second (at least {LEAST:,}), {middle:.1f} ms in the middle,"
          f" {late:.1f} ms at p99 (below {MOST_LATE})\n")
    return [("inbound a second", rate, ">=", LEAST), ("inbound p99, ms", late, "<", MOST_LATE)]


def main():
    with tempfile.TemporaryDirectory(prefix="hub-bench.") as name:
        folder = pathlib.Path(name)
        MariaDB.prepare(folder)
        house = House(folder / "house", workers=WORKERS, settings={"HUB_LANES": LANES})
        try:
            house.start()
            key = house.create_key("admin:*", name="bench")
            keys.raise_limits(house)
            held = hold(measure(house, key, folder))
        finally:
            house.stop()
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()

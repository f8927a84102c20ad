"""Every operation of the API's description, called with what it promises to take and with what it promises to refuse.

`HUB_FUZZ_SECONDS` says how long; `make fuzz` takes its time, and tries other values each time. The short form tries the
same, so that a change is judged by what it changes.
"""

import json
import os
import pathlib
import subprocess
import sys

from house import clean_environment
from standins import TELEGRAM_TOKEN

HERE = pathlib.Path(__file__).parent
SECONDS = int(os.environ.get("HUB_FUZZ_SECONDS") or 60)
SHORT = [] if os.environ.get("HUB_FUZZ_SECONDS") else ["--seed", "1"]


def told(said):
    """What was found, without what is said of the run."""
    found = said.partition("FAILURES")[2] or said
    return found[:15_000]


def fuzz(house, key, folder, *more, seconds=SECONDS):
    """Runs schemathesis; answers its exit status, what it said, and how many requests it made."""
    report = folder / "report.ndjson"
    # A run that found its own key and disabled it would see nothing but 401 from then on.
    kept = ",".join(one["id"] for one in house.api().get("/api-keys").json()["data"])
    program = pathlib.Path(sys.executable).with_name("st")
    done = subprocess.run(
        [program, "--config-file", HERE / "schemathesis.toml", "run", house.url("/api/openapi.json"),
         "--header", f"Authorization: Bearer {key}", "--max-time", str(seconds), "--no-color",
         # One at a time: CPython 3.11 may end with "AST constructor recursion depth mismatch" with more (gh-106905).
         "--workers", "1",
         *SHORT, "--report", "ndjson", "--report-ndjson-path", report, *more],
        capture_output=True, text=True, cwd=folder,
        env={**clean_environment(), "FUZZ_KEPT": kept, "SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(HERE)})
    count = report.read_text().count('"status_code"') if report.exists() else 0
    return done.returncode, done.stdout + done.stderr, count


def test_every_operation_keeps_what_it_promises(make_house, tmp_path):
    # Made-up credentials come by the hundred.
    house = make_house(settings={"HUB_GUESSES_PER_MINUTE": 1_000_000})
    key = house.create_key(name="fuzz")
    api = house.api(house.create_key(name="watch"))
    # Something to find, so that not everything is 404.
    api.create("telegram", {"bot_token": TELEGRAM_TOKEN})
    status, said, count = fuzz(house, key, tmp_path, "--exclude-operation-id", "revokeAPIKey",
                                  # Who revokes what nobody uses must know how many keys that are.
                                  "--exclude-operation-id", "revokeUnusedAPIKeys")
    assert status == 0, told(said)
    assert count > 5 * SECONDS, said[-3_000:]
    for one in (api, house.api(key)):
        assert one.get("/organization").status_code == 200, "the keys and the house have survived it"
    errors = [line for line in house.log() if line["level"] == "error"]
    assert errors == [], json.dumps(errors[:5])


def test_revoking_keeps_what_it_promises(make_house, tmp_path):
    house = make_house(settings={"HUB_GUESSES_PER_MINUTE": 1_000_000})
    key = house.create_key(name="fuzz")
    status, said, _ = fuzz(house, key, tmp_path, "--include-operation-id", "revokeAPIKey", "--phases",
                           "examples,coverage,fuzzing", seconds=min(SECONDS, 10))
    assert status == 0, told(said)

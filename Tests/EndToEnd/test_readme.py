"""README's commands, run as they stand there: whoever follows its chapters meets no refusal."""

import json
import re
import subprocess
import sys

import pytest

from house import ROOT, House, clean_environment
from standins import JSON, TELEGRAM_TOKEN, Service

SLACK_TOKEN = "xoxb-0123456789-0123456789"
CHAPTERS = ["A short tour", "Webhooks", "Chat platforms", "Webhooks of other services", "Apps that sign in"]


def slack(request, _):
    """Slack as far as the chapter goes: itself, its channels, a message."""
    if request.headers.get("Authorization") != f"Bearer {SLACK_TOKEN}":
        return 200, {"ok": False, "error": "invalid_auth"}, JSON
    if request.path.startswith("/api/auth.test"):
        return 200, {"ok": True, "user_id": "U0123", "bot_id": "B0123", "team_id": "T0123456789"}, JSON
    if request.path.startswith("/api/conversations.list"):
        return 200, {"ok": True, "channels": [{"id": "C1", "name": "general", "is_private": False}]}, JSON
    if request.path.startswith("/api/chat.postMessage"):
        return 200, {"ok": True, "channel": "C1", "ts": "1700000000.000100", "message": {"text": "x"}}, JSON
    return 200, {"ok": False, "error": "unknown_method"}, JSON


@pytest.fixture(scope="module")
def house(database_template, standins, tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    service = Service(["https://slack.com"], slack)
    made = House(folder, settings=standins.settings(folder))
    (folder / "origins.json").write_text(json.dumps(standins.origin_map() | {"https://slack.com": service.url}))
    try:
        made.start()
        made.api().create("telegram", {"bot_token": TELEGRAM_TOKEN})
        yield made
    finally:
        made.stop()
        service.stop()


def commands(chapter):
    """The lines for a shell of a chapter, up to the next one."""
    text = (ROOT / "README.md").read_text()
    part = re.search(rf"(?ms)^## {re.escape(chapter)}\n(.*?)(?=^## )", text)[1]
    return "\n".join(re.findall(r"(?ms)^ *```sh\n(.*?)^ *```$", part))


# What a person does between the lines: look at each answer, and take an id out of it where a line says so.
PRELUDE = r"""
set -euo pipefail
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
curl() { command curl --silent --show-error --noproxy '*' --fail-with-body "$@" | tee "$answer"; }
first_id() {
    "$PYTHON" -c '
import json, sys
def ids(value):
    if isinstance(value, dict) and "id" in value:
        yield value["id"]
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from ids(one)
print(next(ids(json.load(open(sys.argv[1])))))' "$answer"
}
"""


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_of_the_readme_can_be_followed(house, chapter):
    [_, hub] = commands("Two commands").split("make test", 1)
    text = hub.split("\n", 1)[1] + commands(chapter)
    text = text.replace(".hub/hub.conf", str(house.folder / "hub.conf")).replace("http://127.0.0.1:8080", house.origin)
    text = re.sub(r"(?m)^( *\w+)=….*$", r"\1=$(first_id)", text).replace("xoxb-…", SLACK_TOKEN)
    assert "curl" in text and "…" not in text
    done = subprocess.run(
        ["bash", "-c", PRELUDE + text], capture_output=True, text=True, cwd=ROOT, timeout=120,
        env=clean_environment(PYTHON=sys.executable))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr

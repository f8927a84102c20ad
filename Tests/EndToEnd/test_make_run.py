"""`make run` as a newcomer and as a script meet it."""

import os
import re
import signal
import subprocess
import sys

import pytest
import requests

from house import OWNER, ROOT, clean_environment, free_port, until


# Runs a command in a network of its own, which leads nowhere; its loopback device is brought up (netdevice(7)).
OFFLINE = ["unshare", "--net", sys.executable, "-c", """
import fcntl, os, socket, struct, sys
SIOCSIFFLAGS, UP_AND_RUNNING = 0x8914, 0x41
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh", b"lo", UP_AND_RUNNING))
os.execvp(sys.argv[1], sys.argv[1:])
"""]


class Run:
    """One `make run`, from its first line to its end."""

    def __init__(self, state, port, through=(), **settings):
        self.state, self.port = state, port
        self.process = subprocess.Popen(
            [*through, "make", "--no-print-directory", "run"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
            env=clean_environment(HUB_STATE=str(state), HUB_PORT=str(port), **settings))
        self.text = ""
        for line in self.process.stdout:
            self.text += line
            if "Ctrl-C" in line:
                return
        self.process.wait()

    def end(self, how=signal.SIGTERM, group=False):
        os.killpg(self.process.pid, how) if group else self.process.send_signal(how)
        self.text += self.process.stdout.read()
        self.process.wait(60)

    def logs(self):
        """What the hub and nginx told, for the message of a test that fails."""
        return "\n".join((self.state / name).read_text()[-4000:] for name in ("hub.log", "nginx-error.log"))

    def leftovers(self):
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        return [line for line in listed.splitlines() if str(self.state) in line]


@pytest.fixture
def run(tmp_path):
    started = []

    def start(state=tmp_path / "state", port=None, **settings):
        started.append(Run(state, port or free_port(), **settings))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end()


def test_it_runs_says_where_and_runs_again(run):
    first = run()
    assert len(first.text.splitlines()) <= 8, first.text
    link = re.search(r"http://127\.0\.0\.1:\d+/\S+", first.text.split("once:")[1])[0]
    assert requests.get(link, timeout=10).status_code == 200
    first.end()
    until(lambda: not first.leftovers(), 10, "the end of all it started")
    again = run(first.state, first.port)
    assert requests.get(f"http://127.0.0.1:{again.port}/health/ready", timeout=10).status_code == 200


@pytest.mark.skipif(os.getuid() != 0, reason="only root may take the network away")
def test_it_runs_offline_once_installed_for_the_first_time_and_again(run):
    first = run(through=OFFLINE)
    assert "The hub is running" in first.text, first.text
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{first.port}/health/ready", timeout=10)
    first.end()
    again = run(first.state, first.port, through=OFFLINE)
    assert "The hub is running" in again.text, again.text


@pytest.mark.parametrize("how, group", [
    (signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGKILL, False),
], ids=["Ctrl-C", "SIGINT to make", "SIGTERM to make", "make killed"])
def test_however_it_is_ended_nothing_is_left(run, how, group):
    one = run()
    one.end(how, group)
    until(lambda: not one.leftovers(), 20, "the end of all it started")


def test_an_account_is_made_from_the_environment_and_settings_are_passed_on(run):
    one = run(HUB_ADMIN_EMAIL=OWNER[0], HUB_ADMIN_PASSWORD=OWNER[1], HUB_LANES="40")
    assert "once:" not in one.text and OWNER[1] not in one.text
    environment = clean_environment(HUB_CONFIG=str(one.state / "hub.conf"))
    hub = ROOT / ".build" / "release" / "hub"
    listed = subprocess.run([hub, "user", "list"], env=environment, capture_output=True, text=True, check=True)
    assert OWNER[0] in listed.stdout
    key = subprocess.run([hub, "api-key", "create", "--name", "ci", "--scope", "admin:*"], env=environment,
                         capture_output=True, text=True, check=True).stdout.strip()
    answer = requests.get(f"http://127.0.0.1:{one.port}/api/v1/connections", headers={"X-API-Key": key}, timeout=10)
    assert answer.status_code == 200
    assert "HUB_LANES=40" in (one.state / "hub.conf").read_text()
    assert (one.state / "hub.conf").stat().st_mode & 0o077 == 0


def test_a_port_in_use_and_a_second_run_are_refused_with_a_sentence(run, tmp_path):
    one = run()
    for other in (run(one.state, one.port), run(tmp_path / "other", one.port)):
        assert other.process.returncode != 0
        assert other.text.startswith("error: ") and len(other.text.splitlines()) <= 2, other.text


def test_a_long_folder_and_a_mount_prefix_work(run, tmp_path):
    port = free_port()
    one = run(tmp_path / ("long" * 20) / ("longer" * 10), port, HUB_PUBLIC_URL=f"http://127.0.0.1:{port}/a/b")
    answer = requests.get(f"http://127.0.0.1:{one.port}/a/b/health/ready", timeout=10)
    assert answer.status_code == 200, one.logs()


def test_a_hub_that_ends_by_itself_says_why(run):
    one = run(HUB_LANES="1")
    assert one.process.returncode != 0
    assert "error: the hub did not start" in one.text
    until(lambda: not one.leftovers(), 10, "the end of all it started")

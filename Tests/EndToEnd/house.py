"""A whole hub for a test: MariaDB, the program and nginx in a folder of their own, on a free port."""

import contextlib
import json
import os
import pathlib
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

import pymysql
import requests

from description import Description

ROOT = pathlib.Path(__file__).resolve().parents[2]
HUB = ROOT / ".build" / "release" / "hub"
OWNER = ("owner@example.org", "correct horse battery staple")

os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"


def until(condition, seconds=60.0, what="the condition", told=lambda: ""):
    """Waits for a condition to hold and returns its value; a test never sleeps for a guessed time.

    `told` says what was seen instead. The time is long since it is a bound on a stuck machine, not a figure."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s {told()}"
        time.sleep(0.01)


def free_port():
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def freeze(pid):
    """Stops every thread of a process: what it holds changes no more."""
    os.kill(pid, signal.SIGSTOP)
    threads = pathlib.Path(f"/proc/{pid}/task")
    until(lambda: all(
        (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T" for thread in threads.iterdir()))


def clean_environment(**more):
    """The environment without anyone's HUB_* settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return {**kept, "no_proxy": "*", **more}


def memory():
    """A folder in memory, or none where there is not room enough for the data of several houses."""
    shared = pathlib.Path("/dev/shm")
    available = re.search(r"^MemAvailable: *(\d+) kB", pathlib.Path("/proc/meminfo").read_text(), re.M)
    if not os.access(shared, os.W_OK) or shutil.disk_usage(shared).free < 2 << 30 or int(available[1]) < 4 << 20:
        return None
    return pathlib.Path(tempfile.mkdtemp(prefix="hub-houses.", dir=shared))


class MariaDB:
    """A private server. Its first data folder is kept as a template, since making one takes seconds."""

    template = None
    # Where data lie instead of the house's own folder; on a disk every commit and every new table waits for it.
    place = None

    def __init__(self, folder):
        self.data = (pathlib.Path(tempfile.mkdtemp(dir=self.place)) if self.place else folder) / "mariadb"
        self.socket = folder / "mariadb.sock"
        self.log = folder / "mariadb.log"
        self.process = None

    @staticmethod
    def settings():
        me = ["--user=root"] if os.getuid() == 0 else []
        return ["--no-defaults", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M", *me]

    @classmethod
    def prepare(cls, folder):
        """Makes the template once for the whole run of tests."""
        cls.template = (cls.place or folder) / "mariadb-template"
        administrator = cls.administrator()
        made = subprocess.run(
            ["mariadb-install-db", *cls.settings(), f"--datadir={cls.template}", f"--tmpdir={cls.template}",
             "--skip-test-db", "--auth-root-authentication-method=socket", f"--auth-root-socket-user={administrator}"],
            capture_output=True, text=True)
        assert made.returncode == 0, made.stdout + made.stderr

    def start(self):
        if not self.data.exists():
            shutil.copytree(self.template, self.data)
        # Debian's default allows 151 connections; a house with many workers wants more.
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["mariadbd", *self.settings(), f"--datadir={self.data}", f"--socket={self.socket}",
                 # A server that starts removes what lies in the folder of temporary tables, another's too.
                 f"--tmpdir={self.data}", "--skip-networking", "--skip-name-resolve",
                 "--innodb-flush-log-at-trx-commit=1", "--character-set-server=utf8mb4", "--max-connections=300"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=clean_environment())
        until(self.answers, 60, "MariaDB's answer")

    def answers(self):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            pymysql.connect(unix_socket=str(self.socket), user=self.administrator()).close()
            return True
        except pymysql.err.MySQLError:
            return False

    @staticmethod
    def administrator():
        return pwd.getpwuid(os.getuid()).pw_name

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)

    def remove(self):
        """Stops it for good. The data of all houses of a run would fill many gigabytes; the log stays, to be read."""
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)

    def query(self, text, *values, database="hub"):
        connection = pymysql.connect(
            unix_socket=str(self.socket), user=self.administrator(), database=database, charset="utf8mb4",
            autocommit=True, cursorclass=pymysql.cursors.DictCursor)
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return list(cursor.fetchall())


class House:
    """nginx + hub + MariaDB. `settings` are HUB_* values; `site` and `http` are nginx text beside it."""

    ready_path = "/health/ready"

    def __init__(self, folder, *, mount="", workers=2, settings=None, site="", http="", accounts=True):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.mount = mount
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.database = MariaDB(self.folder)
        self.site, self.http = site, http
        self.accounts = accounts
        self.log_path = self.folder / "hub.log"
        self.socket = self.folder / "hub.sock"
        self.supervisor = self.nginx = self.key = self.described = None
        self.settings = {
            "HUB_PUBLIC_URL": self.origin + mount,
            "HUB_KEYRING": self.folder / "keyring",
            "HUB_LISTEN": self.socket,
            "HUB_ASSETS": ROOT / "public",
            "HUB_STATE": self.folder,
            "HUB_WORKERS": workers,
            "HUB_KEEPALIVE": 32,
            # Guessing a password is made dear in production; here it would only make the tests slow.
            "HUB_SCRYPT_LN": 14,
            # Tests ask more of one key than a script should; limits have tests of their own.
            **{f"HUB_RATE_LIMIT_PER_{window}": 1_000_000 for window in ("MINUTE", "HOUR", "DAY")},
            **(settings or {}),
        }

    # --- starting and stopping

    def start(self):
        assert HUB.exists(), f"{HUB} is missing: make build"
        self.database.start()
        password = secrets.token_hex(16)
        for statement in (
            "CREATE DATABASE IF NOT EXISTS hub CHARACTER SET utf8mb4",
            "CREATE USER IF NOT EXISTS hub@localhost",
            f"ALTER USER hub@localhost IDENTIFIED BY '{password}'",
            "GRANT ALL ON hub.* TO hub@localhost",
        ):
            self.database.query(statement, database="mysql")
        url = f"mysql://hub:{password}@localhost/hub?socket={self.database.socket}"
        self.settings.setdefault("HUB_DATABASE_URL", url)
        self.write_settings()
        self.hub("keyring", "create")
        self.hub("migrate")
        if self.accounts:
            self.create_user(*OWNER, org="Example")
        self.start_hub()
        self.start_nginx()
        self.wait_ready()
        return self

    def write_settings(self, **changes):
        """Writes the settings file anew; the hub reads it at its start and on SIGHUP."""
        self.settings.update(changes)
        text = "".join(f"{name}={value}\n" for name, value in self.settings.items() if value is not None)
        path = self.folder / "hub.conf"
        path.touch(mode=0o600)
        path.write_text(text)

    def start_hub(self):
        with open(self.log_path, "ab") as log:
            self.supervisor = subprocess.Popen(
                [HUB, "serve"], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT,
                env=clean_environment(HUB_CONFIG=str(self.folder / "hub.conf")), start_new_session=True)

    def nginx_configuration(self, extra):
        shared = {name: str(self.settings[name]) for name in ("HUB_GATE_FOLDER", "HUB_TRUSTED_PROXIES")
                  if self.settings.get(name)}
        return subprocess.run(
            [ROOT / ".make" / "nginx-configuration", self.folder, str(self.port), self.socket, self.mount, *extra],
            capture_output=True, text=True, check=True, env={**os.environ, **shared}).stdout

    def start_nginx(self):
        for folder in (self.folder / "nginx", self.settings.get("HUB_GATE_FOLDER") or self.folder / "gate"):
            pathlib.Path(folder).mkdir(exist_ok=True)
        extra = []
        for name in ("site", "http"):
            text = getattr(self, name)
            (self.folder / f"{name}.conf").write_text(text)
            extra.append(self.folder / f"{name}.conf" if text else "")
        (self.folder / "nginx.conf").write_text(self.nginx_configuration(extra))
        with open(self.folder / "nginx.log", "ab") as log:
            self.nginx = subprocess.Popen(
                ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "nginx-error.log"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def wait_ready(self, seconds=30):
        def ready():
            assert self.supervisor.poll() is None, f"the hub has stopped: {self.log_text()[-3000:]}"
            assert self.nginx.poll() is None, (self.folder / "nginx.log").read_text()
            try:
                return requests.get(self.url(self.ready_path), timeout=5).status_code == 200
            except requests.ConnectionError:
                return False

        try:
            until(ready, seconds, "readiness")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.log_text()[-3000:]}") from None

    def stop(self):
        """Ends it for good: its logs are kept, its data is not."""
        for process, how in ((self.nginx, signal.SIGQUIT), (self.supervisor, signal.SIGTERM)):
            if process and process.poll() is None:
                process.send_signal(how)
                try:
                    process.wait(40)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.database.remove()

    # --- what a test asks of it

    def url(self, path=""):
        return self.origin + self.mount + path

    def hub(self, *arguments, input=None, check=True):
        """Runs a command of the program and returns what it printed."""
        done = subprocess.run(
            [HUB, *map(str, arguments)], input=input, capture_output=True, text=True, cwd=ROOT, timeout=60,
            env=clean_environment(HUB_CONFIG=str(self.folder / "hub.conf")))
        if check:
            assert done.returncode == 0, f"hub {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}"
            return done.stdout.strip()
        return done

    def create_user(self, email, password, *, org, role="owner"):
        self.hub("user", "create", "--email", email, "--org", org, "--role", role, input=password + "\n")

    def create_key(self, *scopes, name="ci", org=None):
        chosen = [part for scope in scopes or ("admin:*",) for part in ("--scope", scope)]
        return self.hub("api-key", "create", "--name", name, *chosen, *(("--org", org) if org else ()))

    def api(self, key=None, **headers):
        """JSON with this key; without one, with the house's own, which may do everything."""
        if not key:
            self.key = key = self.key or self.create_key(name="tests")
        return Api(self, key, headers)

    def description(self):
        """The API's description, as this program gives it."""
        self.described = self.described or Description(json.loads(self.hub("openapi")))
        return self.described

    def sql(self, text, *values):
        return self.database.query(text, *values)

    def dump(self):
        """Everything the database holds, as its own backup tool writes it, with binary columns readable; under locks,
        since the days that the request log makes ahead would end a transaction that reads the whole."""
        return subprocess.run(
            ["mariadb-dump", "--no-defaults", f"--socket={self.database.socket}", "--hex-blob", "--lock-tables",
             "--skip-extended-insert", "hub"], capture_output=True, check=True).stdout

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log(self):
        """The lines the hub has logged, parsed; a line that is not JSON fails the test."""
        return [json.loads(line) for line in self.log_text().splitlines()]

    def workers(self):
        """The process ids of the workers that serve requests."""
        return [pid for pid, command in self.children() if "worker" in command[1:2]]

    def children(self):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.supervisor.pid and command:
                found.append((int(entry.name), command))
        return found

    def connections(self, pid):
        """How many connections of the hub's socket a process has accepted and holds."""
        held = set()
        for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                held.add(os.readlink(link))
        # Num RefCount Protocol Flags Type St Inode Path, where 03 is connected.
        rows = [line.split() for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]]
        return len([row for row in rows
                    if row[5] == "03" and row[7:] == [str(self.socket)] and f"socket:[{row[6]}]" in held])

    # --- a person

    def sign_in(self, email=OWNER[0], password=OWNER[1]):
        """A session of a person, by forms alone, as a browser without JavaScript would."""
        person = Person(self)
        answer = person.submit("/sign-in", email=email, password=password)
        assert answer.status_code == 200, answer.status_code
        assert not answer.url.split("?")[0].endswith("/sign-in"), "the sign-in was refused"
        return person


class Api:
    """JSON with a key. Answers are those of `requests`, and each is one that the API's description promises."""

    def __init__(self, house, key, headers=()):
        self.house, self.key = house, key
        self.session = requests.Session()
        self.session.headers.update({"Authorization": f"Bearer {key}", **dict(headers)})

    def __call__(self, method, path, **options):
        options.setdefault("timeout", 30)
        answer = self.session.request(method, self.house.url("/api/v1" + path), allow_redirects=False, **options)
        if not options.get("stream"):
            self.house.description().check(method, "/api/v1" + path, answer)
        return answer

    def get(self, path, **options):
        return self("GET", path, **options)

    def post(self, path, body=None, **options):
        return self("POST", path, json={} if body is None else body, **options)

    def patch(self, path, body, **options):
        return self("PATCH", path, json=body, **options)

    def delete(self, path, **options):
        return self("DELETE", path, **options)

    def create(self, provider, setup, name="default", expect=201):
        answer = self.post("/connections", {"provider": provider, "name": name, "setup": setup})
        assert answer.status_code == expect, answer.text
        return answer.json()


FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.S | re.I)
ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)(?:=(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?""")


def attributes(text):
    return {name.lower(): (a or b or c) for name, a, b, c in ATTRIBUTE.findall(text)}


class Person:
    """A cookie jar that fills in the forms of pages."""

    def __init__(self, house):
        self.house = house
        self.session = requests.Session()

    def get(self, path, **options):
        return self.session.get(self.house.url(path), timeout=30, **options)

    def submit(self, path, *, having=None, **values):
        """Opens a page, fills in the form that has these fields (or posts to `having`) and sends it."""
        page = self.get(path)
        for head, inner in FORM.findall(page.text):
            head = attributes(head)
            fields = {}
            for tag in re.findall(r"<(?:input|select|textarea|button)\b([^>]*)>", inner, re.I):
                tag = attributes(tag)
                if tag.get("name"):
                    fields.setdefault(tag["name"], tag.get("value", ""))
            if having and having not in head.get("action", ""):
                continue
            if not having and not set(values) <= set(fields):
                continue
            target = urllib.parse.urljoin(page.url, head.get("action") or page.url)
            return self.session.post(target, data={**fields, **values}, timeout=30)
        raise AssertionError(f"{page.url} ({page.status_code}) has no form with {sorted(values)} {having or ''}")

"""What the authorization server costs: tokens issued beside rows that MariaDB takes and beside django-oauth-toolkit, tokens
introspected beside a bare C responder, and both with very many tokens in the table beside few.

The hub's secrets are 256 random bits, of which it keeps a SHA-256. django-oauth-toolkit keeps every secret by Django's slow
hash for passwords (PBKDF2), as it does unless told otherwise, and so spends most of its time there.
"""

import base64
import os
import pathlib
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))

from ecosystem import SETTINGS, Server  # noqa: E402
from house import House, MariaDB, until  # noqa: E402

import bench  # noqa: E402
import rivals  # noqa: E402
from measuring import LANES, WORKERS, children, hold, processor_seconds  # noqa: E402

ROUNDS = int(os.environ.get("OAUTH_ROUNDS", "9"))
SECONDS = int(os.environ.get("OAUTH_SECONDS", "2"))
FEW_TOKENS = int(os.environ.get("FEW_TOKENS", "50000"))
MANY_TOKENS = int(os.environ.get("MANY_TOKENS", "5000000"))
CLIENTS, IN_USE = 16, 1_000

# What the figures are held against: at most 1.2 times slower is at least 1 / 1.2 of the rate.
ROW_RATIO, DJANGO_RATIO, OK_RATIO, MANY_RATIO = 0.4, 200, 0.6, round(1 / 1.2, 2)
FORM = "application/x-www-form-urlencoded"

UPSTREAM = """
upstream bench_ok {{
    server unix:{socket} max_fails=0;
    keepalive 16;
    keepalive_requests 100000;
}}
"""

SITE = """
location = /bench/ok {{
{directives}
}}
"""


class DjangoToolkit(rivals.Django):
    """django-oauth-toolkit under gunicorn, its app and its tokens in the same MariaDB, all as it comes."""

    name = "django-oauth-toolkit"

    TEXT = """
import os
from django.conf import settings
settings.configure(
    SECRET_KEY="bench", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, DEBUG=False, USE_TZ=True, MIDDLEWARE=[],
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "oauth2_provider"],
    DATABASES={"default": {"ENGINE": "django.db.backends.mysql", "NAME": "toolkit_bench", "CONN_MAX_AGE": None,
                           "USER": os.environ["BENCH_USER"],
                           "OPTIONS": {"unix_socket": os.environ["BENCH_SOCKET"], "charset": "utf8mb4"}}},
    OAUTH2_PROVIDER={"SCOPES": {"connections:read": "Read connections"}})
import django
django.setup()
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

urlpatterns = [path("bench/toolkit/", include("oauth2_provider.urls", namespace="oauth2_provider"))]
application = get_wsgi_application()

if __name__ == "__main__":
    from django.core.management import call_command
    call_command("migrate", verbosity=0)
    from oauth2_provider.models import Application
    Application.objects.create(
        name="bench", client_id="bench", client_secret="bench-secret-of-256-bits-or-nearly-so-it-is-for-this",
        client_type=Application.CLIENT_CONFIDENTIAL, authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS)
    [made] = Application.objects.all()
    print(made.client_secret.split("$")[0], made.client_secret.split("$")[1])
"""

    def location(self):
        return f"""
location /bench/toolkit/ {{
    proxy_pass http://unix:{self.folder}/toolkit.sock;
    proxy_set_header Host localhost;
    proxy_read_timeout 60s;
}}"""

    def start(self, house, _):
        (self.folder / "toolkit_bench.py").write_text(self.TEXT)
        house.database.query("CREATE DATABASE toolkit_bench", database=None)
        environment = {**os.environ, "BENCH_SOCKET": str(house.database.socket), "PYTHONPATH": str(self.folder),
                       "BENCH_USER": house.database.administrator()}
        made = subprocess.run([self.python, self.folder / "toolkit_bench.py"], capture_output=True, text=True, env=environment)
        assert made.returncode == 0, made.stderr[-2000:]
        print(f"{self.name} keeps its app's secret by {made.stdout.strip()} rounds")
        self.process = subprocess.Popen(
            [self.python.parent / "gunicorn", "--workers", str(2 * os.cpu_count() + 1), "--log-level", "error",
             "--timeout", "120", "--bind", f"unix:{self.folder}/toolkit.sock", "toolkit_bench:application"],
            stdout=subprocess.DEVNULL, stderr=sys.stderr, env=environment)
        rivals.until(lambda: (self.folder / "toolkit.sock").exists(), 20, "gunicorn")
        return house.origin + "/bench/toolkit/token/"


def basic(name, password):
    return "Basic " + base64.b64encode(f"{urllib.parse.quote(name)}:{urllib.parse.quote(password)}".encode()).decode()


class Bench:
    """A house with one app that has a secret."""

    def __init__(self, house, folder):
        self.house, self.folder = house, folder
        self.server = Server(house)
        self.app = self.server.register()
        # A server for so many rows; the tests' own is made small, since there are many of them.
        for setting in ("innodb_buffer_pool_size = 1073741824", "innodb_log_file_size = 536870912"):
            house.sql(f"SET GLOBAL {setting}")
        house.sql("CREATE TABLE bench_access_tokens LIKE oauth_access_tokens")
        subprocess.run(["cc", "-O2", "-o", folder / "row", pathlib.Path(__file__).parent / "row.c",
                        *subprocess.run(["mariadb_config", "--cflags", "--libs"], capture_output=True, text=True,
                                        check=True).stdout.split(), "-lpthread"], check=True)
        self.processes = [*children(house.nginx.pid), *house.workers(), house.database.process.pid]
        self.issuing = self.script("issue", basic(self.app.client_id, self.app.secret),
                                   ["grant_type=client_credentials&scope=connections:read"])
        self.introspecting = None

    def script(self, name, authorization, bodies):
        """A script for wrk by which each thread goes round the bodies."""
        path = self.folder / f"{name}.lua"
        listed = ",".join(f'"{body}"' for body in bodies)
        path.write_text(f"""
            local bodies = {{{listed}}}
            local next = math.random(#bodies)
            local headers = {{["Authorization"] = "{authorization}", ["Content-Type"] = "{FORM}"}}
            function request()
                next = next % #bodies + 1
                return wrk.format("POST", nil, headers, bodies[next])
            end
        """)
        return path

    def rows(self):
        url = urllib.parse.urlsplit(self.house.settings["HUB_DATABASE_URL"])
        before = processor_seconds(self.processes)
        done = subprocess.run([self.folder / "row", self.house.database.socket, url.username, url.password, str(CLIENTS),
                               str(SECONDS)], capture_output=True, text=True, check=True)
        rate = float(done.stdout)
        spent = (processor_seconds(self.processes) - before) / rate / SECONDS * 1_000_000
        self.house.sql("TRUNCATE TABLE bench_access_tokens")
        return rate, None, spent

    def wrk(self, url, script, clients=CLIENTS):
        return bench.wrk(url, None, self.processes, script, clients=clients, seconds=SECONDS)

    def issued(self):
        return self.wrk(self.server.endpoint("token"), self.issuing)

    def introspected(self):
        return self.wrk(self.server.endpoint("introspection"), self.introspecting)

    def ok(self):
        return self.wrk(self.house.origin + "/bench/ok", self.introspecting)

    def use_tokens(self):
        """A thousand tokens, each of which every worker has met."""
        used = [self.app.for_itself(scope="connections:read").json()["access_token"] for _ in range(IN_USE)]
        assert self.app.introspects(used[0])["active"]
        self.introspecting = self.script("introspect", basic(self.app.client_id, self.app.secret),
                                         [f"token={token}" for token in used])
        for _ in range(3):
            self.introspected()

    def fill(self, count):
        """Has so many living tokens of this and of other apps stand in the table, in the order of their ids."""
        held = self.house.sql("SELECT COUNT(*) AS n FROM oauth_access_tokens")[0]["n"]
        began = int(time.time() * 1000) - 3_000_000
        missing = max(0, count - held)
        step = max(1, 3_000_000 // max(1, missing // 100))
        made = 0
        while made < missing:
            some = min(missing - made, 50_000)
            app = secrets.choice([uuid.UUID(self.app.id).bytes, secrets.token_bytes(16)])
            self.house.sql(
                "INSERT INTO oauth_access_tokens (id, app_id, grant_id, token_hash, scopes, resources, expires_at)"
                " SELECT UNHEX(CONCAT(LPAD(HEX(%s + FLOOR(seq / 100) * %s), 12, '0'), '7', SUBSTR(HEX(RANDOM_BYTES(10)), 2))),"
                f" %s, NULL, RANDOM_BYTES(32), 'connections:read', '', '2038-01-01' FROM seq_1_to_{some}",
                began + made // 100 * step, step, app)
            made += some
        self.house.sql("ANALYZE TABLE oauth_access_tokens")
        self.settle()

    def settle(self):
        """Lets the server write down what was filled in: it is rows that stand in the table which are asked about."""
        self.house.sql("SET GLOBAL innodb_max_dirty_pages_pct = 0, GLOBAL innodb_max_dirty_pages_pct_lwm = 0")
        until(lambda: int(self.house.sql("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")[0]["Value"]) < 500, 300,
              "the server has written what was filled in")
        self.house.sql("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT, GLOBAL innodb_max_dirty_pages_pct_lwm = DEFAULT")


def measure(house, folder, toolkit):
    """Prints the table and returns what is to hold: (name, value, relation, bound)."""
    made = Bench(house, folder)
    made.use_tokens()
    rows = {"MariaDB, a row of a token": made.rows, "client credentials": made.issued, 'C libfcgi "ok", POST': made.ok,
            "introspection": made.introspected}
    if toolkit:
        url = toolkit.start(house, None)
        rivals_own = toolkit.children()
        made.processes += rivals_own
        script = made.script("toolkit", basic("bench", "bench-secret-of-256-bits-or-nearly-so-it-is-for-this"),
                             ["grant_type=client_credentials&scope=connections:read"])
        # As many at once as there are processors: more would only wait.
        rows[toolkit.name] = lambda: made.wrk(url, script, clients=os.cpu_count())
    figures = {name: [] for name in rows}
    for number in range(ROUNDS):
        print(f"\rround {number + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
        for name, act in rows.items():
            figures[name].append(act())
    print("\r" + " " * 20 + "\r", end="", file=sys.stderr)
    if toolkit:
        made.processes = [pid for pid in made.processes if pid not in rivals_own]
        toolkit.stop()
    counted = {count: against_rows(made, count) for count in (FEW_TOKENS, MANY_TOKENS)}
    return report(figures, counted, toolkit)


def against_rows(made, count):
    """(issuing beside rows, introspecting beside C ok) with so many tokens in the table, each beside a neighbour."""
    made.fill(count)
    # New ones, so that none is known because it was asked for before.
    made.use_tokens()
    issuing, introspecting, rates = [], [], []
    for _ in range(max(3, ROUNDS // 2)):
        rates.append((made.issued()[0], made.rows()[0], made.introspected()[0], made.ok()[0]))
        issuing.append(rates[-1][0] / rates[-1][1])
        introspecting.append(rates[-1][2] / rates[-1][3])
    [held] = made.house.sql("SELECT COUNT(*) AS n FROM oauth_access_tokens")
    assert held["n"] >= count
    ratios = statistics.median(issuing), statistics.median(introspecting)
    issued, taken, introspected, ok = map(statistics.median, zip(*rates))
    print(f"{held['n']:>10,} tokens in the table: issuing {ratios[0]:.2f} of MariaDB's rows ({issued:,.0f} to {taken:,.0f} a second),"
          f" introspection {ratios[1]:.2f} of C ok ({introspected:,.0f} to {ok:,.0f})")
    return ratios


def report(figures, counted, toolkit):
    medians = {name: [statistics.median(column) if column[0] is not None else None for column in zip(*some)]
               for name, some in figures.items()}

    def ratio(name, limit):
        return statistics.median(one[0] / other[0] for one, other in zip(figures[name], figures[limit]))

    limits = {"client credentials": "MariaDB, a row of a token", "introspection": 'C libfcgi "ok", POST'}
    print(f"\n{ROUNDS} interleaved rounds of {SECONDS} s, {CLIENTS} clients, {os.cpu_count()} cores; medians\n")
    print(f"{'':28}{'a second':>10}{'/ limit':>10}{'p99 ms':>10}{'CPU µs':>10}")
    for name, (rate, late, spent) in medians.items():
        share = f"{ratio(name, limits[name]):.2f}" if name in limits else ""
        print(f"{name:28}{rate:>10,.1f}{share:>10}{'' if late is None else f'{late:.1f}':>10}{spent:>10,.0f}")
    (few_issued, few_asked), (many_issued, many_asked) = counted.values()
    goals = [
        ("tokens / MariaDB's rows", ratio("client credentials", "MariaDB, a row of a token"), ">=", ROW_RATIO),
        ("introspection / C ok", ratio("introspection", 'C libfcgi "ok", POST'), ">=", OK_RATIO),
        ("tokens, many / few rows", many_issued / few_issued, ">=", MANY_RATIO),
        ("introspection, many / few", many_asked / few_asked, ">=", MANY_RATIO)]
    if toolkit:
        goals.append(("tokens / " + toolkit.name, ratio("client credentials", toolkit.name), ">=", DJANGO_RATIO))
    return goals


def main():
    with tempfile.TemporaryDirectory(prefix="hub-bench.") as name:
        folder = pathlib.Path(name)
        MariaDB.prepare(folder)
        subprocess.run(["cc", "-O2", "-o", folder / "ok", pathlib.Path(__file__).parent / "ok.c", "-lfcgi", "-lpthread"],
                       check=True)
        socket = folder / "ok.sock"
        responder = subprocess.Popen([folder / "ok", socket, str(WORKERS), str(LANES)])
        toolkit = DjangoToolkit(folder)
        reason = toolkit.missing()
        if reason:
            print(reason)
            toolkit = None
        house = House(folder / "house", workers=WORKERS, settings={"HUB_LANES": LANES, **SETTINGS},
                      site=SITE.format(directives=bench.directives()) + (toolkit.location() if toolkit else ""),
                      http=UPSTREAM.format(socket=socket))
        try:
            house.start()
            held = hold(measure(house, folder, toolkit))
        finally:
            if toolkit:
                toolkit.stop()
            house.stop()
            responder.terminate()
            responder.wait()
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()

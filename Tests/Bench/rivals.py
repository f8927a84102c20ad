"""What the gate is held against: PHP-FPM and Django, each told to do the least that the question takes.

Both look a key up by its hash and answer JSON; neither counts limits, judges addresses, or knows of changes made
elsewhere. What cannot be had on this machine is left out with a sentence, never with a made-up figure.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.parse

from house import until

PHP = """<?php
$sent = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
$key = strncmp($sent, 'Bearer ', 7) === 0 ? substr($sent, 7) : '';
$database = new PDO('mysql:unix_socket=%(socket)s;dbname=hub', '%(user)s', '%(password)s',
    [PDO::ATTR_PERSISTENT => true, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$asked = $database->prepare('SELECT name, scopes FROM api_keys WHERE key_hash = ? AND revoked_at IS NULL');
$asked->execute([hash('sha256', $key, true)]);
$row = $asked->fetch(PDO::FETCH_ASSOC);
http_response_code($row ? 200 : 401);
header('Content-Type: application/json');
echo json_encode(['valid' => (bool) $row, 'name' => $row['name'] ?? null]);
"""

POOL = """
[global]
daemonize = no
error_log = %(folder)s/php.log
[bench]
%(user)s
listen = %(folder)s/php.sock
listen.mode = 0666
listen.backlog = 511
pm = static
pm.max_children = %(children)d
php_admin_value[opcache.enable] = 1
php_admin_value[opcache.validate_timestamps] = 0
"""

DJANGO_PACKAGES = ["Django==5.2.8", "djangorestframework==3.16.1", "djangorestframework-api-key==3.1.0", "gunicorn==23.0.0",
                   "mysqlclient==2.2.7", "django-oauth-toolkit==3.4.1"]

DJANGO = """
import os
from django.conf import settings
settings.configure(
    SECRET_KEY="bench", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, DEBUG=False, USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "rest_framework_api_key"],
    DATABASES={"default": {"ENGINE": "django.db.backends.mysql", "NAME": "django_bench", "CONN_MAX_AGE": None,
                           "USER": os.environ["BENCH_USER"],
                           "OPTIONS": {"unix_socket": os.environ["BENCH_SOCKET"], "charset": "utf8mb4"}}},
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None,
                    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]})
import django
django.setup()
from django.core.wsgi import get_wsgi_application
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_api_key.permissions import BaseHasAPIKey
from rest_framework_api_key.models import APIKey

class HasKey(BaseHasAPIKey):
    model = APIKey

class Check(APIView):
    permission_classes = [HasKey]

    def get(self, request):
        return Response({"valid": True})

urlpatterns = [path("bench/django", Check.as_view())]
application = get_wsgi_application()

if __name__ == "__main__":
    from django.core.management import call_command
    call_command("migrate", verbosity=0)
    print(APIKey.objects.create_key(name="bench")[1])
"""


class Rival:
    """A program beside the hub: its nginx location, the header of a good key, and the processes that it costs."""

    name = ""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.header = None

    def children(self):
        return list(map(int, pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()))

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


class PHP82(Rival):
    """PHP-FPM 8.2 with opcache and JIT: SHA-256, one indexed SELECT on a persistent connection, JSON."""

    name = "PHP-FPM 8.2, one SELECT"

    def location(self):
        # fastcgi_params would send more; the script needs these.
        return f"""
location = /bench/php {{
    fastcgi_pass unix:{self.folder}/php.sock;
    fastcgi_param SCRIPT_FILENAME {self.folder}/check.php;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param QUERY_STRING "";
    fastcgi_param CONTENT_LENGTH $content_length;
}}"""

    def missing(self):
        if shutil.which("php-fpm8.2"):
            return None
        return "PHP-FPM 8.2 is left out: its package php8.2-fpm cannot be had here."

    def start(self, house, key):
        url = urllib.parse.urlsplit(house.settings["HUB_DATABASE_URL"])
        (self.folder / "check.php").write_text(PHP % {
            "socket": house.database.socket, "user": url.username, "password": url.password})
        me = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        group = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
        (self.folder / "pool.conf").write_text(POOL % {
            "folder": self.folder, "children": 8 * os.cpu_count(),
            "user": f"user = {me}\ngroup = {group}" if os.getuid() == 0 else ""})
        self.process = subprocess.Popen(
            ["php-fpm8.2", "--nodaemonize", *(["-R"] if os.getuid() == 0 else []), "-y", self.folder / "pool.conf",
             "-d", "opcache.enable=1", "-d", "opcache.jit_buffer_size=64M", "-d", "opcache.jit=tracing"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: (self.folder / "php.sock").exists(), 20, "PHP-FPM")
        self.header = f"Authorization: Bearer {key}"
        return house.origin + "/bench/php"


class Django(Rival):
    """Django REST framework with djangorestframework-api-key under gunicorn, its key in the same MariaDB."""

    name = "Django REST, api-key"

    def location(self):
        return f"""
location = /bench/django {{
    proxy_pass http://unix:{self.folder}/django.sock:/bench/django;
    proxy_set_header Host localhost;
}}"""

    def missing(self):
        # A virtual environment of its own, kept beside the project's, since fetching it takes a while.
        self.python = pathlib.Path(".venv-bench/bin/python")
        wanted = pathlib.Path(".venv-bench/wanted")
        if not wanted.exists() or wanted.read_text().split() != DJANGO_PACKAGES:
            subprocess.run(["/usr/bin/python3", "-m", "venv", "--clear", ".venv-bench"], check=False)
            done = subprocess.run([self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                                   *DJANGO_PACKAGES], capture_output=True, text=True)
            if done.returncode:
                return "Django REST framework is left out: its packages cannot be had here."
            wanted.write_text("\n".join(DJANGO_PACKAGES))
        return None

    def start(self, house, _):
        (self.folder / "django_bench.py").write_text(DJANGO)
        house.database.query("CREATE DATABASE django_bench", database=None)
        environment = {**os.environ, "BENCH_SOCKET": str(house.database.socket), "PYTHONPATH": str(self.folder),
                       "BENCH_USER": house.database.administrator()}
        made = subprocess.run([self.python, self.folder / "django_bench.py"], capture_output=True, text=True,
                              env=environment, check=True)
        self.process = subprocess.Popen(
            [self.python.parent / "gunicorn", "--workers", str(2 * os.cpu_count() + 1), "--log-level", "error",
             "--bind", f"unix:{self.folder}/django.sock", "django_bench:application"],
            stdout=subprocess.DEVNULL, stderr=sys.stderr, env=environment)
        until(lambda: (self.folder / "django.sock").exists(), 20, "gunicorn")
        self.header = f"Authorization: Api-Key {made.stdout.strip().splitlines()[-1]}"
        return house.origin + "/bench/django"


def digest(key):
    """What the hub keeps of a key."""
    return hashlib.sha256(key.encode()).digest()

"""Security headers on whatever leaves the house: pages, JSON, static files, errors, and what nginx says by itself."""

import base64
import hashlib
import re

import pytest
import requests

from house import ROOT

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGES = ["/", "/sign-in", "/connections", "/connections/new", "/connections/new/telegram", "/api-keys", "/audit-log",
         "/nothing-here"]


def assert_secure(answer, page=False):
    for name, value in ALWAYS.items():
        assert answer.headers.get(name) == value, (answer.url, name, answer.headers)
    assert "Referrer-Policy" in answer.headers and "Permissions-Policy" in answer.headers
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    if page:
        for directive in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
            assert directive in policy, policy
        assert "unsafe" not in policy
    for name in ("Server", "X-Powered-By"):
        assert not re.search(r"\d", answer.headers.get(name, "")), f"{name} tells a version"
    for name in answer.raw.headers:
        assert len(answer.raw.headers.getlist(name)) == 1 or name.lower() == "set-cookie", f"{name} came twice"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_them(house, path):
    answer = house.sign_in().get(path)
    assert_secure(answer, page=True)
    assert answer.headers["Cache-Control"] == "no-store" or "/sign-in" in path
    assert answer.headers["Content-Type"].lower().replace(" ", "") == "text/html;charset=utf-8"


def test_pages_hold_no_inline_script_style_or_handler(house):
    person = house.sign_in()
    for path in PAGES:
        text = person.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text), path
        assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=|javascript:", text), path


def test_json_and_its_errors_carry_them(house, api):
    for answer in (api.get("/connections"), api.get("/nothing"), api.post("/connections", {}),
                   requests.get(house.url("/api/v1/connections"), timeout=10),
                   requests.get(house.url("/health/live"), timeout=10)):
        assert_secure(answer)


def test_static_files_carry_them_and_may_be_kept_for_ever(house):
    text = requests.get(house.url("/sign-in"), timeout=10).text
    assets = set(re.findall(r'(?:href|src)="([^"]*/assets/[^"]+)"', text))
    assert any(asset.endswith(".css") for asset in assets), text[:500]
    for asset in assets:
        answer = requests.get(house.origin + asset, timeout=10)
        assert answer.status_code == 200, asset
        assert_secure(answer)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        name, digest, kind = re.fullmatch(r".*/([^/.]+)\.([0-9a-f]{8,16})\.(\w+)", asset).groups()
        assert answer.content == (ROOT / "public" / f"{name}.{kind}").read_bytes()
        assert hashlib.sha256(answer.content).hexdigest().startswith(digest)
        again = requests.get(house.origin + asset, headers={"If-None-Match": answer.headers["ETag"]}, timeout=10)
        assert again.status_code == 304


@pytest.mark.parametrize("path", [
    "/assets/", "/assets", "/assets/..%2fPackage.01234567.txt", "/assets/../Package.01234567.txt",
    "/assets/.env.01234567.txt", "/assets/errors/unavailable.01234567.html", "/assets/unavailable.01234567.html",
    "/assets/hub.css", "/assets/hub.0123.css", "/assets/%2e%2e/README.01234567.md", "/.git/config",
    "/-/page/unavailable", "/-/problem/unavailable",
])
def test_nothing_but_hashed_static_files_is_served(house, path):
    session = requests.Session()
    prepared = requests.Request("GET", house.url("")).prepare()
    prepared.url = house.url(path)
    answer = session.send(prepared, timeout=10)
    assert answer.status_code in (400, 404), answer.text[:200]
    assert_secure(answer)


def test_when_the_hub_is_away_people_get_a_page_and_scripts_a_problem(make_house):
    house = make_house()
    house.supervisor.terminate()
    house.supervisor.wait(40)
    page = requests.get(house.url("/connections"), timeout=10)
    assert page.status_code == 502
    assert int(page.headers["Retry-After"]) > 0
    assert_secure(page, page=True)
    assert page.headers["X-Request-Id"] in page.text
    for path in ("/api/v1/connections?x=1", "/health/live"):
        answer = requests.post(house.url(path), timeout=10)
        assert answer.status_code == 502
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json()["status"] == 502
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
        assert_secure(answer)


def test_too_large_a_body_and_too_long_an_address_are_refused_with_a_page(house):
    large = requests.post(house.url("/sign-in"), data=b"x" * 1_100_000, timeout=10)
    assert large.status_code == 413
    assert_secure(large, page=True)
    long = requests.get(house.url("/" + "a" * 40_000), timeout=10)
    assert long.status_code == 414
    assert_secure(long, page=True)


def test_the_style_of_the_error_pages_is_the_one_their_policy_admits():
    configured = set(re.findall(r"'(sha256-[^']+)'", (ROOT / "nginx" / "hub.conf").read_text()))
    for page in (ROOT / "public" / "errors").glob("*.html"):
        [style] = re.findall(r"<style>(.*?)</style>", page.read_text(), re.S)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert configured == {f"sha256-{digest}"}, page.name


def test_the_access_log_keeps_no_query(house):
    requests.get(house.url("/health/live?code=never-to-be-logged"), timeout=10)
    text = (house.folder / "nginx-access.log").read_text()
    assert '"path":"/health/live"' in text and "never-to-be-logged" not in text
    assert "never-to-be-logged" not in house.log_text()

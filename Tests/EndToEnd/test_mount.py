"""The hub under a prefix of a site that was there before: every link stays inside, and the site stays as it was."""

import collections
import html
import re
import urllib.parse

import pytest
import requests

SITE = """
location = / { return 200 "the site"; }
location /about { return 200 "about the site"; }
location ~ \\.css$ { return 200 "css of the site"; }
"""


def crawl(person, start):
    """Follows every link of every page: ({address: status}, {address: the pages that named it})."""
    seen, named, queue = {}, collections.defaultdict(set), [start]
    while queue:
        address = queue.pop(0)
        if address in seen:
            continue
        answer = person.session.get(address, timeout=30, allow_redirects=False)
        seen[address] = answer.status_code
        found = []
        if "Location" in answer.headers:
            found.append(answer.headers["Location"])
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            found += re.findall(r"""(?:href|src|action|formaction)="([^"]*)\"""", answer.text)
            found += re.findall(r"url\(([^)]*)\)", answer.text)
        for link in found:
            target = urllib.parse.urldefrag(urllib.parse.urljoin(address, html.unescape(link)))[0]
            named[target].add(address)
            inside = urllib.parse.urlsplit(target).netloc == urllib.parse.urlsplit(start).netloc
            if inside and "sign-out" not in target and len(seen) < 400:
                queue.append(target)
    return seen, named


@pytest.mark.parametrize("mount", ["", "/x", "/a/b"], ids=["root", "x", "a-b"])
def test_no_link_is_broken_and_none_leaves_the_prefix(make_house, standins, mount):
    house = make_house(mount=mount, site=SITE if mount else "")
    api = house.api()
    for kind, (setup, *_) in standins.setups().items():
        api.create(kind, setup)
    person = house.sign_in()
    seen, named = crawl(person, house.url("/"))
    assert len(seen) > 12, seen
    # A form's target answers 405 to GET, which is right; nothing else may fail.
    broken = {address: (status, sorted(named[address])[:2]) for address, status in seen.items()
              if status >= 400 and status != 405}
    assert broken == {}
    outside = {address for address in named if address.startswith(house.origin)
               and not urllib.parse.urlsplit(address).path.startswith(mount + "/")}
    assert outside == set()
    for cookie in person.session.cookies:
        assert cookie.path in (mount or "/", mount + "/", "/"), cookie


def test_the_site_beside_it_is_untouched(make_house):
    house = make_house(mount="/hub", site=SITE)
    for path, text in (("/", "the site"), ("/about", "about the site"), ("/style.css", "css of the site")):
        answer = requests.get(house.origin + path, timeout=10)
        assert (answer.status_code, answer.text) == (200, text)
        assert "Content-Security-Policy" not in answer.headers
    assert requests.get(house.origin + "/elsewhere", timeout=10).status_code == 404
    assert requests.get(house.origin + "/hub", timeout=10, allow_redirects=False).headers["Location"] == "/hub/"
    page = requests.get(house.url("/sign-in"), timeout=10).text
    [style] = re.findall(r'href="([^"]+\.css)"', page)[:1]
    assert "css of the site" not in requests.get(house.origin + style, timeout=10).text


def test_a_forged_host_leads_nobody_away(house):
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        answer = requests.get(house.url("/connections"), headers=headers, timeout=10, allow_redirects=False)
        assert "evil.example" not in answer.headers.get("Location", "") + answer.text


@pytest.mark.parametrize("path", ["/%2e%2e/x", "/a%00b", "/a%2fb", "//evil.example/", "/;x", "/%ff", "/a//b"])
def test_odd_paths_are_read_once_and_refused_calmly(house, path):
    prepared = requests.Request("GET", house.url("")).prepare()
    prepared.url = house.url(path)
    answer = requests.Session().send(prepared, timeout=10, allow_redirects=False)
    assert answer.status_code in (302, 303, 307, 308, 400, 404)
    assert "evil.example" not in answer.headers.get("Location", "")

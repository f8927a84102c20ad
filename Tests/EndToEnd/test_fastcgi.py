"""The FastCGI door under a client that does not keep to the rules; after each, the same workers answer."""

import socket
import struct

import pytest

import fastcgi
from fastcgi import Connection, begin, pairs, parameters, record, request
from house import until


@pytest.fixture(scope="module")
def door(house):
    """The socket, watched: no worker may have died of what a test sent."""
    before = sorted(house.workers())
    yield house.socket
    assert sorted(house.workers()) == before, "a worker died"


@pytest.fixture(autouse=True)
def still_alive(door):
    yield
    for _ in range(8):
        with Connection(door) as connection:
            assert connection.send(request()).answer()[0] == 200


def test_a_plain_request_is_answered(door):
    with Connection(door) as connection:
        status, output, application, protocol = connection.send(request()).answer()
    assert (status, application, protocol) == (200, 0, 0)
    assert output.split(b"\r\n")[0].lower().startswith(b"status: 200")


def test_a_gateway_gets_from_the_hub_what_it_does_not_say_it_adds(door):
    fields = [b"x-content-type-options", b"x-frame-options", b"cross-origin-opener-policy",
              b"cross-origin-resource-policy", b"permissions-policy"]
    long = "/" + "x" * 9000
    for more in ({}, {"SECURITY_FIELDS": ""}, {"SECURITY_FIELDS": "on"}, {"HTTP_SECURITY_FIELDS": "gateway"},
                 {"HTTP_SECURITY_FIELDS": "gateway+id"}, {"SECURITY_FIELDS": "gateway"}, {"SECURITY_FIELDS": "gateway+id"},
                 {"SECURITY_FIELDS": "gateway+id", "REQUEST_ID": "no id"}):
        for path, expected in (("/health/live", 200), ("/sign-in", 200), ("/api/nothing", 404), (long, 414)):
            with Connection(door) as connection:
                status, output, *_ = connection.send(request(REQUEST_URI=path, **more)).answer()
            assert status == expected
            found = [line.split(b":")[0].lower() for line in output.partition(b"\r\n\r\n")[0].split(b"\r\n")]
            said = more.get("SECURITY_FIELDS", "")
            assert [found.count(name) for name in fields] == [0 if said.startswith("gateway") else 1] * 5, (path, more)
            # An id that the hub did not take is not the one in its log, so it tells its own.
            assert found.count(b"x-request-id") == (0 if said == "gateway+id" and "REQUEST_ID" not in more else 1), (path, more)
            assert b"content-security-policy" in found and b"referrer-policy" in found


def test_records_may_be_split_at_any_byte(door):
    whole = request()
    for cut in range(1, len(whole), 7):
        with Connection(door) as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            connection.send(whole[:cut]).send(whole[cut:])
            assert connection.answer()[0] == 200, cut


def test_parameters_may_come_in_many_padded_records_with_long_lengths(door):
    stream = pairs(parameters(HTTP_X_FILLER="x" * 3000), long=True)
    with Connection(door) as connection:
        connection.send(begin())
        for start in range(0, len(stream), 61):
            connection.send(record(fastcgi.PARAMS, stream[start:start + 61], padding=start % 256))
        connection.send(record(fastcgi.PARAMS) + record(fastcgi.STDIN))
        assert connection.answer()[0] == 200


def test_any_request_number_is_echoed(door):
    with Connection(door) as connection:
        connection.send(begin(request=65535) + record(fastcgi.PARAMS, pairs(parameters()), 65535)
                        + record(fastcgi.PARAMS, request=65535) + record(fastcgi.STDIN, request=65535))
        kind, number, _ = connection.read_record()
    assert (kind, number) == (fastcgi.STDOUT, 65535)


def test_a_kept_connection_serves_many_requests(door):
    with Connection(door) as connection:
        for _ in range(50):
            assert connection.send(request(flags=fastcgi.KEEP)).answer()[0] == 200


def test_get_values_says_that_requests_are_not_multiplexed(door):
    with Connection(door) as connection:
        asked = pairs([("FCGI_MPXS_CONNS", ""), ("FCGI_MAX_CONNS", "")])
        # libfcgi looks at a management record only once the next record is there.
        connection.send(record(fastcgi.GET_VALUES, asked, request=0) + request())
        kind, _, content = connection.read_record()
    assert kind == fastcgi.GET_VALUES_RESULT
    assert pairs([("FCGI_MPXS_CONNS", "0")]) in content


def test_a_management_record_of_unknown_type_is_named_back(door):
    with Connection(door) as connection:
        connection.send(record(99, request=0))
        kind, _, content = connection.read_record()
    assert (kind, content[0]) == (fastcgi.UNKNOWN, 99)


@pytest.mark.parametrize("role", [2, 3, 77])
def test_other_roles_are_refused(door, role):
    with Connection(door) as connection:
        connection.send(begin(role=role) + record(fastcgi.PARAMS, pairs(parameters())) + record(fastcgi.PARAMS)
                        + record(fastcgi.STDIN))
        try:
            status, *_, protocol = connection.answer()
            assert protocol == 3 or status >= 400, "FCGI_UNKNOWN_ROLE, or an error"
        except (EOFError, ConnectionError):
            pass  # hanging up is a refusal too


@pytest.mark.parametrize("cut", [1, 7, 8, 12, 16, 20, 40, -9, -1])
def test_a_client_that_leaves_in_the_middle_costs_nothing(door, cut):
    for _ in range(20):
        with Connection(door) as connection:
            connection.send(request()[:cut])


def test_a_client_that_leaves_before_its_answer_costs_nothing(door):
    for _ in range(200):
        with Connection(door) as connection:
            connection.send(request())


def test_an_abort_record_is_survived(door):
    with Connection(door) as connection:
        connection.send(begin() + record(fastcgi.PARAMS, pairs(parameters())) + record(fastcgi.ABORT))


@pytest.mark.parametrize("name, value", [(0x7FFFFFFF, 0), (0, 0x7FFFFFFF), (0x7FFFFFFF, 0x7FFFFFFF)])
def test_a_length_of_two_gigabytes_is_refused_without_believing_it(door, house, name, value):
    before = {pid: resident(pid) for pid in house.workers()}
    with Connection(door) as connection:
        lie = struct.pack("!II", name | 0x80000000, value | 0x80000000) + b"X" * 32
        connection.send(begin() + record(fastcgi.PARAMS, lie) + record(fastcgi.PARAMS) + record(fastcgi.STDIN))
        assert_refused(connection)
    for pid, kilobytes in before.items():
        assert resident(pid) < kilobytes + 20_000


@pytest.mark.parametrize("many", [
    [("HTTP_X_BIG", "x" * 20_000)],
    [(f"HTTP_X_{number}", "x") for number in range(300)],
    [(f"HTTP_X_{number}", "x" * 3000) for number in range(40)],
], ids=["one value over 16 kB", "over 200 parameters", "over 64 kB in all"])
def test_too_many_or_too_large_parameters_are_refused(door, many):
    stream = pairs(parameters() + many)
    with Connection(door) as connection:
        connection.send(begin())
        try:
            for start in range(0, len(stream), 60_000):
                connection.send(record(fastcgi.PARAMS, stream[start:start + 60_000]))
            connection.send(record(fastcgi.PARAMS) + record(fastcgi.STDIN))
        except ConnectionError:
            return
        assert_refused(connection)


@pytest.mark.parametrize("length", ["-1", "+5", "5x", "0x5", " 5", "99999999999999999999", "5,5"])
def test_a_content_length_that_is_no_number_is_refused(door, length):
    with Connection(door) as connection:
        connection.send(begin() + record(fastcgi.PARAMS, pairs(parameters(
            "/sign-in", "POST", CONTENT_LENGTH=length, CONTENT_TYPE="application/x-www-form-urlencoded")))
            + record(fastcgi.PARAMS) + record(fastcgi.STDIN, b"a=b&c") + record(fastcgi.STDIN))
        assert_refused(connection)


def test_a_body_shorter_than_announced_is_refused(door):
    with Connection(door) as connection:
        connection.send(begin() + record(fastcgi.PARAMS, pairs(parameters(
            "/sign-in", "POST", CONTENT_LENGTH="500", CONTENT_TYPE="application/x-www-form-urlencoded")))
            + record(fastcgi.PARAMS) + record(fastcgi.STDIN, b"a=b") + record(fastcgi.STDIN))
        assert_refused(connection)


@pytest.mark.parametrize("name", ["HTTP_AUTHORIZATION", "CONTENT_LENGTH", "REQUEST_METHOD", "HTTP_X_API_KEY"])
def test_a_parameter_that_matters_may_not_come_twice(door, name):
    with Connection(door) as connection:
        twice = parameters("/api/v1/connections") + [(name, "one"), (name, "two")]
        connection.send(begin() + record(fastcgi.PARAMS, pairs(twice)) + record(fastcgi.PARAMS) + record(fastcgi.STDIN))
        status, *_ = connection.answer()
        # 401 would mean that one of two credentials was chosen and looked up.
        assert status in (400, 501), status


def test_noise_is_hung_up_on(door):
    for noise in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 40, b"\0" * 4096, b"\xff" * 4096, b"\x02\x01" * 2048):
        with Connection(door) as connection:
            connection.send(noise)
            connection.socket.shutdown(socket.SHUT_WR)
            assert connection.closed()


def test_silent_connections_do_not_take_the_lanes(door, house):
    silent = [Connection(door) for _ in range(40)]
    try:
        for connection in silent:
            connection.send(begin()[:5])
        with Connection(door) as connection:
            assert connection.send(request()).answer()[0] == 200
    finally:
        for connection in silent:
            connection.socket.close()
    until(lambda: len(house.workers()) > 0)


def resident(pid):
    """Kilobytes of memory that a process holds."""
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"{pid} is gone")


def assert_refused(connection):
    """A 4xx, or hanging up."""
    try:
        status, *_ = connection.answer()
        assert 400 <= status < 500, status
    except (EOFError, ConnectionError):
        pass

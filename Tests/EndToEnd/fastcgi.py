"""A FastCGI client that can be as rude as it likes (FastCGI specification 1.0, §3 to §5)."""

import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN = range(1, 12)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP = 1


def record(kind, content=b"", request=1, padding=0, version=1, length=None):
    """One record; `length` lies about the content when given."""
    return struct.pack("!BBHHBx", version, kind, request, len(content) if length is None else length, padding) \
        + content + b"\0" * padding


def begin(role=RESPONDER, flags=0, request=1):
    return record(BEGIN, struct.pack("!HB5x", role, flags), request)


def size(number, long=False):
    """A length in one byte below 128, in four above it or when asked."""
    return struct.pack("!I", number | 0x80000000) if long or number > 127 else bytes([number])


def pairs(parameters, long=False):
    parts = []
    for name, value in parameters:
        name, value = name.encode(), value.encode()
        parts.append(size(len(name), long) + size(len(value), long) + name + value)
    return b"".join(parts)


def parameters(path="/health/live", method="GET", body=b"", **more):
    """What nginx sends for a request."""
    values = {
        "REQUEST_METHOD": method, "REQUEST_URI": path, "SCRIPT_NAME": "", "QUERY_STRING": path.partition("?")[2],
        "CONTENT_TYPE": "", "CONTENT_LENGTH": str(len(body)) if body else "", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "40000", "REQUEST_ID": "0" * 32, "HTTP_HOST": "127.0.0.1", **more}
    return list(values.items())


def request(path="/health/live", method="GET", body=b"", flags=0, **more):
    """A whole, polite request."""
    return begin(flags=flags) + record(PARAMS, pairs(parameters(path, method, body, **more))) + record(PARAMS) \
        + (record(STDIN, body) if body else b"") + record(STDIN)


class Connection:
    """One connection to the hub's socket."""

    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError(f"closed after {len(data)} of {count} bytes")
            data += more
        return data

    def read_record(self):
        version, kind, number, length, padding = struct.unpack("!BBHHBx", self.exactly(8))
        content = self.exactly(length)
        self.exactly(padding)
        assert version == 1
        return kind, number, content

    def answer(self):
        """Reads to the end of the request: (status, headers and body as bytes, application status, protocol status)."""
        output = b""
        while True:
            kind, _, content = self.read_record()
            if kind == STDOUT:
                output += content
            elif kind == END:
                application, protocol = struct.unpack("!IB3x", content)
                status = 200
                for line in output.partition(b"\r\n\r\n")[0].split(b"\r\n"):
                    if line.lower().startswith(b"status:"):
                        status = int(line.split()[1])
                return status, output, application, protocol

    def closed(self):
        """Whether the other side hangs up, after at most an answer."""
        try:
            while self.socket.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except TimeoutError:
            return False

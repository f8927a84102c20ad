"""Receivers of webhooks that only count: a process of their own, so that hundreds of thousands of deliveries take minutes.

`python counting.py FOLDER RECEIVERS DELAY` writes its ports to FOLDER/ports and a line for each delivery to FOLDER/came:
the path, the id in the header, and whether the body says the same id.
"""

import asyncio
import collections
import pathlib
import re
import subprocess
import sys

from house import until

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.I)
ID = re.compile(rb"\r\nwebhook-id: ([^\r]+)", re.I)
BODY_ID = re.compile(rb'^\{"id":"([^"]+)"')
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Counter(asyncio.Protocol):
    """One connection."""

    def __init__(self, came, delay):
        self.came, self.delay, self.held = came, delay, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.held += data
        while True:
            head, end, rest = self.held.partition(b"\r\n\r\n")
            length = int(LENGTH.search(head)[1]) if end else 0
            if not end or len(rest) < length:
                return
            self.note(head, rest[:length])
            self.held = rest[length:]

    def note(self, head, body):
        id = ID.search(head)[1]
        agrees = b"same" if BODY_ID.match(body)[1] == id else b"different"
        self.came.write(b" ".join((head.split(b" ", 2)[1], id, agrees)) + b"\n")
        self.came.flush()
        asyncio.get_running_loop().call_later(self.delay, self.transport.write, ANSWER)


async def serve(folder, count, delay):
    with open(folder / "came", "ab") as came:
        servers = [await asyncio.get_running_loop().create_server(lambda: Counter(came, delay), "127.0.0.1", 0, backlog=1024)
                   for _ in range(count)]
        (folder / "making").write_text(" ".join(str(server.sockets[0].getsockname()[1]) for server in servers))
        (folder / "making").rename(folder / "ports")
        await asyncio.Event().wait()


class Counting:
    """The process, and what has come to it."""

    def __init__(self, folder, receivers, delay=0.0):
        folder.mkdir()
        self.folder, self.read, self.held = folder, 0, b""
        # How often each (path, id) came, and which came with another id in the body.
        self.came, self.wrong = collections.Counter(), []
        self.process = subprocess.Popen([sys.executable, __file__, folder, str(receivers), str(delay)])
        until((folder / "ports").exists, what="the receivers")
        self.urls = [f"http://127.0.0.1:{port}" for port in (folder / "ports").read_text().split()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def look(self):
        """Takes in what has come since the last look; how many different deliveries there were so far."""
        with open(self.folder / "came", "rb") as file:
            file.seek(self.read)
            new = file.read()
        self.read += len(new)
        *lines, self.held = (self.held + new).split(b"\n")
        for line in lines:
            path, id, agrees = line.decode().split(" ")
            self.came[path, id] += 1
            if agrees != "same":
                self.wrong.append(id)
        return len(self.came)


if __name__ == "__main__":
    asyncio.run(serve(pathlib.Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))

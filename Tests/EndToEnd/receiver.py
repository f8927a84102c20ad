"""A receiver of webhooks that notes all that arrives and answers as it is told, on a free port of 127.0.0.1."""

import asyncio
import contextlib
import dataclasses
import threading
import time

from house import until


@dataclasses.dataclass(frozen=True)
class Received:
    """A request as it came: header names in small letters, when it was whole, and on which connection."""

    path: str
    headers: dict
    body: bytes
    at: float
    connection: int

    @property
    def id(self):
        return self.headers["webhook-id"]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is said, after so many seconds."""

    status: int = 200
    headers: tuple = ()
    body: bytes = b""
    delay: float = 0.0

    @property
    def bytes(self):
        lines = [f"HTTP/1.1 {self.status} Said", f"content-length: {len(self.body)}",
                 *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def silence(_):
    """Never answers."""
    return None


class Receiver:
    """`answer` is a function of a `Received` that gives an `Answer`, None for silence, or a coroutine function of the
    stream that writes whatever it likes. Tests may replace it at any time."""

    def __init__(self, answer=lambda _: Answer(), tls=None, keeps=True):
        self.answer, self.tls, self.keeps = answer, tls, keeps
        self.received, self.connections, self.under_way = [], 0, 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.port = None
        self.thread.start()
        until(lambda: self.port, what="the receiver")
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=self.tls, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))

    async def serve(self, reader, writer):
        self.connections += 1
        connection = self.connections
        try:
            while True:
                await self.one(await reader.readuntil(b"\r\n\r\n"), reader, writer, connection)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError, TimeoutError):
            pass
        finally:
            writer.close()

    async def one(self, head, reader, writer, connection):
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Received(first.split(" ")[1], headers, body, time.monotonic(), connection)
        if self.keeps:
            self.received.append(request)
        self.under_way += 1
        try:
            await self.say(self.answer(request), writer, reader)
        finally:
            self.under_way -= 1

    async def say(self, answer, writer, reader):
        if answer is None:
            # Until the other side goes away.
            await reader.read()
            raise ConnectionResetError
        if not isinstance(answer, Answer):
            await answer(writer)
            raise ConnectionResetError
        if answer.delay:
            await asyncio.sleep(answer.delay)
        writer.write(answer.bytes)
        await writer.drain()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    # --- what a test asks of it

    def at(self, path):
        """What came to a path, the first first."""
        return [request for request in list(self.received) if request.path == path]

    def wait(self, count, path=None, seconds=60):
        """Waits until so many requests have come, to this path or at all, and returns them."""
        found = lambda: self.at(path) if path else list(self.received)  # noqa: E731
        until(lambda: len(found()) >= count, seconds, f"delivery {count}", lambda: f"but {len(found())}")
        return found()


@contextlib.contextmanager
def receiving(*answers, **options):
    """Receivers for as long as a test needs them, one for each answer."""
    made = [Receiver(answer, **options) for answer in answers]
    try:
        yield made if len(made) > 1 else made[0]
    finally:
        for one in made:
            one.stop()

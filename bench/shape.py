"""A narrow and distant line between a browser and a server: a TCP proxy that shapes what passes, in user space.

Bytes of each direction share a rate (a bucket that all connections drink from) and arrive half a round trip late; a new
connection waits a whole round trip first, as a handshake over such a line would. Loss and slow start are not imitated.
"""

import asyncio
import threading
import time


class Bucket:
    """Hands out the right to send at `rate` bytes per second, first come, first served."""

    def __init__(self, rate):
        self.rate = rate
        self.free_at = 0.0

    # A sleep that ends late must not narrow the line: what was missed by up to this much (seconds) is made good.
    LATE = 0.03

    async def take(self, size):
        now = time.monotonic()
        self.free_at = max(self.free_at, now - self.LATE) + size / self.rate
        await asyncio.sleep(max(0.0, self.free_at - now))


class Line:
    """`with Line(port, 5e6, 0.05) as line:` listens at `line.port` and passes on to `port` of this machine.

    `bits` per second for each direction, `round_trip` in seconds.
    """

    PIECE = 1400

    def __init__(self, target, bits, round_trip):
        self.target, self.bits, self.round_trip = target, bits, round_trip
        self.port = None
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.ready.wait(10)
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.set_exception_handler, lambda *_: None)
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def _hang_up(self):
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._listen())
        self.loop.run_forever()

    async def _listen(self):
        self.up, self.down = Bucket(self.bits / 8), Bucket(self.bits / 8)
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()

    async def _connection(self, reader, writer):
        await asyncio.sleep(self.round_trip)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        # A browser that has seen enough hangs up: that is no failure of the line.
        await asyncio.gather(self._pass(reader, far_writer, self.up), self._pass(far_reader, writer, self.down),
                             return_exceptions=True)

    async def _pass(self, source, sink, bucket):
        """Reads at the line's rate, and delivers each piece half a round trip after it was sent."""
        under_way = asyncio.Queue(maxsize=512)

        async def deliver():
            while (item := await under_way.get()) is not None:
                due, piece = item
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                sink.write(piece)
                await sink.drain()

        delivery = asyncio.create_task(deliver())
        try:
            while piece := await source.read(self.PIECE):
                await bucket.take(len(piece))
                await under_way.put((time.monotonic() + self.round_trip / 2, piece))
            await under_way.put(None)
            await delivery
        except OSError:
            pass
        finally:
            delivery.cancel()
            sink.close()

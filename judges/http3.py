"""Asks for addresses over HTTP/3 with aioquic, all of them at once on one connection. Prints what came as JSON."""

import asyncio
import json
import ssl
import sys
from urllib.parse import urlsplit

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration


class Client(QuicConnectionProtocol):
    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.http = H3Connection(self._quic)
        self.answers = {}

    async def ask(self, method, host, path, body):
        stream = self._quic.get_next_available_stream_id()
        done = asyncio.get_running_loop().create_future()
        self.answers[stream] = {"headers": {}, "body": b"", "done": done}
        fields = [(b":method", method), (b":scheme", b"https"), (b":authority", host), (b":path", path)]
        if body:
            fields += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
                       (b"origin", b"https://" + host)]
        self.http.send_headers(stream, fields, end_stream=not body)
        if body:
            self.http.send_data(stream, body, end_stream=True)
        self.transmit()
        await asyncio.wait_for(done, 30)
        answer = self.answers[stream]
        return {"status": int(answer["headers"].pop(":status")), "headers": answer["headers"],
                "length": len(answer["body"]), "body": answer["body"][:4096].decode(errors="replace")}

    def quic_event_received(self, event):
        for told in self.http.handle_event(event):
            answer = self.answers[told.stream_id]
            if isinstance(told, HeadersReceived):
                answer["headers"].update((name.decode(), value.decode()) for name, value in told.headers)
            elif isinstance(told, DataReceived):
                answer["body"] += told.data
            if told.stream_ended and not answer["done"].done():
                answer["done"].set_result(None)


async def main(base, asked):
    place = urlsplit(base)
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE,
                                      server_name="localhost")
    async with connect(place.hostname, place.port, configuration=configuration, create_protocol=Client) as client:
        host = place.netloc.encode()
        asking = [client.ask(one["method"].encode(), host, one["path"].encode(), one.get("body", "").encode())
                  for one in asked]
        print(json.dumps(await asyncio.gather(*asking)))


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))

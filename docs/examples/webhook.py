"""Receives messages and checks that they are Kinora's. Needs PORT and KINORA_WEBHOOK_SECRET (whsec_…)."""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

KEY = base64.b64decode(os.environ["KINORA_WEBHOOK_SECRET"].removeprefix("whsec_"))


def is_genuine(headers, body):
    """True when the message is signed by us and is not an old one sent again by somebody else."""
    message, sent = headers["webhook-id"], headers["webhook-timestamp"]
    if message is None or abs(time.time() - float(sent or 0)) > 300:
        return False
    digest = hmac.new(KEY, f"{message}.{sent}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    # While a secret is being changed there are two signatures, separated by a space.
    return any(hmac.compare_digest(expected, given) for given in (headers["webhook-signature"] or "").split(" "))


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        if not is_genuine(self.headers, body):
            self.send_error(401, "this is not from Kinora")
            return
        # Answer at once and work afterwards. The same webhook-id may come again: have its effect once.
        self.send_response(204)
        self.end_headers()
        message = json.loads(body)
        print(f"genuine: {message['type']} about {message['data']['id']}", flush=True)


server = HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver)
print("listening", flush=True)
server.serve_forever()

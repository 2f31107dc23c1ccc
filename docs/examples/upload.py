"""Uploads a file and waits until it can be watched: upload.py FILE. Needs KINORA_SERVER and KINORA_TOKEN."""

import base64
import json
import os
import pathlib
import sys
import time
import urllib.parse
import urllib.request
import uuid

SERVER = os.environ["KINORA_SERVER"]
HEADERS = {"Authorization": "Bearer " + os.environ["KINORA_TOKEN"], "Tus-Resumable": "1.0.0"}
PIECE = 8 * 1024 * 1024


def call(method, path, headers=None, body=None):
    address = urllib.parse.urljoin(SERVER, path)
    request = urllib.request.Request(address, body, {**HEADERS, **(headers or {})}, method=method)
    return urllib.request.urlopen(request)


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


path = pathlib.Path(sys.argv[1])

# 1. Begin: tus answers where the bytes go, and which title they become. Sent again with the same key, it begins only once.
begun = call("POST", "/api/v1/uploads", {
    "Idempotency-Key": str(uuid.uuid4()),
    "Upload-Length": str(path.stat().st_size),
    "Upload-Metadata": f"filename {base64_of(path.name)},title {base64_of('From Python')}",
})
upload, video = begun.headers["Location"], begun.headers["Kinora-Video-Id"]

# 2. Send, in pieces. After a break, ask with HEAD for Upload-Offset and go on from there.
with path.open("rb") as file:
    offset = 0
    while piece := file.read(PIECE):
        call("PATCH", upload, {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}, piece)
        offset += len(piece)

# 3. Wait. A title can be played before all its renditions are complete.
while (title := json.load(call("GET", f"/api/v1/videos/{video}")))["state"] != "ready":
    if title["state"] == "failed":
        sys.exit(title["error"])
    time.sleep(1)
print("watch it at", f"{SERVER}/watch/{video}")

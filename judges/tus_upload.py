"""tuspy against a running Kinora: in chunks with checksums, interrupted and resumed.

    python judges/tus_upload.py SERVER TOKEN FILE    prints one JSON line; exits 1 with the reason otherwise
"""

import json
import os
import sys
import urllib.request

from tusclient import client


def offset(url, token):
    request = urllib.request.Request(url, method="HEAD")
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Tus-Resumable", "1.0.0")
    with urllib.request.urlopen(request) as response:
        return int(response.headers["Upload-Offset"]), response.headers["Kinora-Video-Id"]


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: python judges/tus_upload.py SERVER TOKEN FILE")
    server, token, path = sys.argv[1:]
    size = os.path.getsize(path)
    tus = client.TusClient(f"{server}/api/v1/uploads", headers={"Authorization": f"Bearer {token}"})
    metadata = {"filename": "tuspy.mp4", "filetype": "video/mp4", "title": "tuspy"}
    chunk = max(64 * 1024, size // 6)

    first = tus.uploader(path, chunk_size=chunk, metadata=metadata, upload_checksum=True)
    first.upload_chunk()
    first.upload_chunk()
    stands_at, _ = offset(first.url, token)
    if stands_at != 2 * chunk:
        sys.exit(f"after two chunks of {chunk} the upload stands at {stands_at}")

    # Another process, which knows only the address.
    second = tus.uploader(path, chunk_size=chunk, url=first.url, upload_checksum=True)
    if second.offset != stands_at:
        sys.exit(f"tuspy resumes at {second.offset} instead of {stands_at}")
    second.upload()
    stands_at, video = offset(first.url, token)
    if stands_at != size:
        sys.exit(f"finished, but the upload stands at {stands_at} of {size}")
    print(json.dumps({"tuspy": video}))


main()

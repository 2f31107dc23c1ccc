"""Who am I, and which titles are mine? Needs KINORA_SERVER and KINORA_TOKEN."""

import json
import os
import urllib.parse
import urllib.request

SERVER = os.environ["KINORA_SERVER"]
HEADERS = {"Authorization": "Bearer " + os.environ["KINORA_TOKEN"]}


def get(path, **query):
    address = f"{SERVER}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(urllib.request.Request(address, headers=HEADERS)) as answer:
        return json.load(answer)


print("signed in as", get("/api/v1/session")["user"]["name"])

# Lists are paged: next_cursor leads to the next page and is None on the last one.
query = {"limit": 2}
while True:
    page = get("/api/v1/studio/videos", **query)
    for video in page["items"]:
        print(video["id"], video["state"], video["title"])
    if page["next_cursor"] is None:
        break
    query["cursor"] = page["next_cursor"]

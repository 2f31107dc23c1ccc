"""Plays and attacks titles through caches in front of Kinora, then kills it and plays on.

python3 caches.py KINORA PID KEY TITLE OTHER EVENT NAME=URL…: KEY signs tokens that KINORA believes, KINORA_TOKEN is an
administrator's, EVENT is live and of low latency. `scripts/recipes.sh` starts all that this needs.
"""

import base64
import concurrent.futures
import gzip
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import uuid

# What docs/caches.md promises.
REFUSED_WITHIN = 3.0
MANIFEST_SECONDS = 60


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __getitem__(self, name):
        return ", ".join(value for key, value in self.headers if key.lower() == name)

    @property
    def is_hit(self):
        return "hit" in self["cache-status"].split(",")[-1]


def ask(base, path, headers=None, method="GET", body=None):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc, timeout=40)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True, skip_host="Host" in (headers or {}))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def must(condition, *words):
    if not condition:
        raise SystemExit(" ".join(map(str, words)))


class House:
    """Kinora itself."""

    def __init__(self, url, key, title, other):
        self.url, self.key, self.title, self.other = url, key, title, other
        self.admin = {"Authorization": f"Bearer {os.environ['KINORA_TOKEN']}"}
        first = self.playback(title, {})
        self.presentation = first["presentation_id"]
        self.names = self.list(self.prefix(first))
        self.known = {}

    def right(self, name):
        """What everybody with a whole token must get."""
        if name not in self.known:
            self.known[name] = ask(self.url, self.viewer() + name).body
        return self.known[name]

    def call(self, method, path, headers, body=None):
        headers = {"Origin": self.url, "Content-Type": "application/json", **headers}
        answer = ask(self.url, path, headers, method, b"" if body is None else json.dumps(body).encode())
        must(answer.status < 300, method, path, answer.status, answer.body[:300])
        return answer

    def playback(self, title, headers):
        return json.loads(self.call("POST", f"/api/v1/videos/{title}/playback", headers).body)

    @staticmethod
    def prefix(playback):
        return playback["hls_url"].removesuffix("main.m3u8")

    def viewer(self, title=None, headers=None):
        return self.prefix(self.playback(title or self.title, headers or {}))

    def minted(self, seconds=3600, **claims):
        """A token as the API would not make it."""
        all_claims = {"p": self.presentation, "e": int(time.time()) + seconds, "s": str(uuid.uuid4()), **claims}
        encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
        body = encode(json.dumps(all_claims).encode())
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            signing = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", file.name]
            signature = subprocess.run(signing, check=True, stdout=subprocess.PIPE).stdout
        return f"/media/{(body + b'.' + encode(signature)).decode()}/{all_claims['p']}/"

    def list(self, prefix):
        """Everything of the presentation below its prefix, playlists first."""
        names = ["main.m3u8", "main.mpd"]
        for name in names:
            if not name.endswith(".m3u8"):
                continue
            text = ask(self.url, prefix + name).body.decode()
            folder = name.rpartition("/")[0]
            for line in text.splitlines():
                found = [line] if line and not line.startswith("#") else [part.split('"')[0] for part in line.split('URI="')[1:]]
                for address in found:
                    full = f"{folder}/{address}" if folder else address
                    if full not in names and ".." not in full:
                        names.append(full)
        return names


class Cache:
    def __init__(self, house, name, url):
        self.house, self.name, self.url = house, name, url
        # Names that nobody has asked this cache for, whole segments only.
        self.unused = [name for name in house.names if name.endswith(".m4s")]

    def get(self, path, headers=None, method="GET", body=None):
        return ask(self.url, path, headers, method, body)

    def fresh(self):
        return self.unused.pop(0)

    def must(self, condition, *words):
        must(condition, f"{self.name}:", *words)

    def same(self, answer, name, what):
        self.must(answer.status == 200 and answer.body == self.house.right(name), what, name, answer.status, len(answer.body))

    def a_second_viewer_gets_hits(self):
        one, two = self.house.viewer(), self.house.viewer()
        names = [name for name in self.house.names if not name.endswith(".m4s")] + [self.fresh() for _ in range(4)]
        for name in names:
            self.same(self.get(one + name), name, "first")
        for name in names:
            answer = self.get(two + name)
            self.same(answer, name, "second")
            self.must(answer.is_hit, "no hit for the second viewer:", name, answer["cache-status"])
            self.must(answer["access-control-allow-origin"] == "*", "CORS:", answer.headers)

    def strangers_are_refused(self):
        good, name = self.house.viewer(), "main.m3u8"
        held = [name, self.fresh()]
        for one in held:
            self.must(self.get(good + one).status == 200, "not filled")
        token, presentation = good.split("/")[2:4]
        body, _, signature = token.partition(".")
        other = self.house.viewer(self.house.other).split("/")[2]
        swapped = self.house.minted(s=str(uuid.uuid4())).split("/")[2].partition(".")
        prefixes = {
            "altered signature": f"/media/{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}/{presentation}/",
            "altered claims": f"/media/{'B' if body[0] == 'A' else 'A'}{body[1:]}.{signature}/{presentation}/",
            "another's signature": f"/media/{body}.{swapped[2]}/{presentation}/",
            "another title's": f"/media/{other}/{presentation}/",
            "expired": self.house.minted(-1),
            "a word": f"/media/token.word/{presentation}/",
            "empty": f"/media/./{presentation}/",
            "none": f"/media/{presentation}/",
        }
        # The true keys, as whoever knows how they are made can guess them.
        keys = {ask(self.house.url, "/edge/check", {"X-Original-URI": good + one, **coding})["x-kinora-key"]
                for one in ("main.m3u8", "v/init.mp4", held[1]) for coding in ({}, {"Accept-Encoding": "gzip"})}
        self.must(all(keys), "no keys:", keys)
        tricks = { "X-Original-URI": good + name, "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "evil.example",
                  "X-Kinora-Away": "yes", "X-Kinora-Path": good + name, "X-Kinora-Rest": "/" + name, "X-Original-URL": good + name,
                  "X-Rewrite-URL": good + name, "X-Accel-Redirect": good + name, "Cookie": "a=b", "Authorization": "Bearer x"}
        for what, prefix in prefixes.items():
            for one in held:
                for headers in ({}, *({**tricks, "X-Kinora-Key": key} for key in keys), {"Host": "evil.example"}, {"Range": "bytes=0-1"}, {"If-None-Match": "*"}):
                    for method in ("GET", "HEAD"):
                        answer = self.get(prefix + one, headers, method)
                        self.must(answer.status in (401, 403, 404), what, one, headers, answer.status)
        answer = self.get(prefixes["altered signature"] + name)
        self.must(answer.status == 403 and answer["content-type"] == "application/problem+json", "words:", answer.status, answer.headers)
        self.must(answer["access-control-allow-origin"] == "*", "a page of another site cannot read the refusal:", answer.headers)
        self.same(self.get(good + name), name, "afterwards")

    def odd_addresses_are_nothing(self):
        good = self.house.viewer()
        expired = self.house.minted(-1)
        self.must(self.get(good + "main.m3u8").status == 200, "not filled")
        for path in (expired + "../" + "/".join(good.split("/")[2:]) + "main.m3u8", good + "../main.m3u8", good + "%6dain.m3u8", good + "/main.m3u8",
                     good + "main.m3u8/", good + "main.m3u8%00", good.replace("/media/", "//media/") + "main.m3u8", good.replace("/media", "/Media") + "main.m3u8",
                     good + "main.m3u8;a", "/edge/check", "/kinora-check", "/api/v1/instance", "/", good + "v/../main.m3u8", good + "main.m3u8%3f",
                     expired + "main.m3u8?/../" + good + "main.m3u8"):
            answer = self.get(path, {"X-Original-URI": good + "main.m3u8"})
            self.must(answer.status in (400, 401, 403, 404), path, answer.status)
        for method in ("POST", "PUT", "DELETE", "PURGE", "BAN", "REFRESH"):
            answer = self.get(good + "main.m3u8", method=method, body=b"hello")
            self.must(answer.status in (400, 403, 404, 405, 501), method, answer.status)
        self.must(self.get(good + "main.m3u8").status == 200, "gone")
        answer = self.get(good + "main.m3u8", {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}, "OPTIONS")
        self.must(answer.status == 204 and "GET" in answer["access-control-allow-methods"], "preflight", answer.status, answer.headers)

    def queries_do_not_split(self):
        one, two, name = self.house.viewer(), self.house.viewer(), self.fresh()
        self.same(self.get(f"{one}{name}?CMCD=br%3D3200%2Csid%3D%22a%22"), name, "first")
        for query in ("", "?CMCD=br%3D100", "?x=1&y", "?", "?&&=&", "?CMCD=a&CMCD=b"):
            answer = self.get(two + name + query)
            self.same(answer, name, query)
            self.must(answer.is_hit, "the query", query, "splits:", answer["cache-status"])

    def what_counts_splits_and_cannot_poison(self):
        """Parameters of live playlists are in the key, and what Kinora is asked for is what the key says."""
        name = next(name for name in self.house.names if name.endswith("/playlist.m3u8"))
        viewer = self.house.viewer()
        self.must(self.get(viewer + name).status == 200, "not filled")
        self.must(not self.get(viewer + name + "?_HLS_msn=1").is_hit, "_HLS_msn is not in the key")
        answer = self.get(viewer + name + "?a=b&_HLS_msn=1&c=d")
        self.same(answer, name, "_HLS_msn")
        self.must(answer.is_hit, "other parameters split:", answer["cache-status"])
        for query in ("?_HLS_msn=2&_HLS_msn=3", "?_hls_msn=4&_HLS_msn=5", "?_HLS_msn=", "?_HLS_msn=%31", "?_HLS_msn=" + "9" * 40, "?_HLS_part=a%26_HLS_msn=1"):
            self.must(self.get(viewer + name + query).status in (200, 404), query)
        for query in ("", "?_HLS_msn=2", "?_HLS_msn=3", "?_HLS_msn=4", "?_HLS_msn=5"):
            self.same(self.get(viewer + name + query), name, query)

    def headers_cannot_poison(self):
        one, two = self.house.viewer(), self.house.viewer()
        for headers in ({"X-Kinora-Key": "evil"}, {"X-Original-URI": self.house.viewer(self.house.other) + "main.m3u8"},
                        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"},
                        {"Host": "evil.example"}, {"Range": "bytes=0-9"}, {"Range": "bytes=0-0,5-6"}, {"If-None-Match": "*"},
                        {"If-Range": '"x"', "Range": "bytes=3-"}, {"Cache-Control": "no-store, no-cache"}, {"Pragma": "no-cache"},
                        {"Accept-Encoding": "br;q=1, x, gzip"}, {"CDN-Loop": "kinora, kinora, kinora, kinora, kinora, kinora, kinora, kinora"},
                        {"X-HTTP-Method-Override": "DELETE", "Cookie": "kinora_session=x", "Authorization": "Basic eDp4", "Accept": "text/html"}):
            names = ["main.mpd"] if "Range" not in headers and "If-None-Match" not in headers else []
            for name in [*names, self.fresh()]:
                first = self.get(one + name, headers)
                self.must(first.status in (200, 206, 304, 412, 508), headers, first.status, first.body[:200])
                for again in (one, two):
                    self.same(self.get(again + name), name, f"after {headers}:")
        name = self.fresh()
        self.must(self.get(one + name, method="HEAD").body == b"", "HEAD")
        self.same(self.get(two + name), name, "after HEAD:")

    def texts_come_plain_and_packed(self):
        one, two = self.house.viewer(), self.house.viewer()
        playlists = [name for name in self.house.names if name.endswith((".m3u8", ".mpd"))]
        for first, name in enumerate(playlists):
            plain, packed = lambda viewer: self.get(viewer + name), lambda viewer: self.get(viewer + name, {"Accept-Encoding": "gzip, deflate, br"})
            for viewer in (one, two):
                for take in (plain, packed) if first % 2 else (packed, plain):
                    answer = take(viewer)
                    is_packed = answer["content-encoding"] == "gzip"
                    self.must(is_packed == (take is packed), name, answer.headers)
                    body = gzip.decompress(answer.body) if is_packed else answer.body
                    self.must(answer.status == 200 and body == self.house.right(name), "body of", name)
                    # Of our own making there is one.
                    self.must(answer["content-length"] in ("", str(len(answer.body))), "length of", name)
            for refused in ("gzip;q=0", "identity", "gzip; q=0.0, br"):
                answer = self.get(one + name, {"Accept-Encoding": refused})
                self.must(not answer["content-encoding"] and answer.body == self.house.right(name), refused, answer.headers)

    def parts_and_conditions(self):
        viewer, name = self.house.viewer(), self.fresh()
        whole = self.house.right(name)
        for _ in range(2):
            part = self.get(viewer + name, {"Range": "bytes=10-19"})
            self.must(part.status == 206 and part.body == whole[10:20], "range", part.status)
            self.must(part["content-range"] == f"bytes 10-19/{len(whole)}", part["content-range"])
        self.must(self.get(viewer + name, {"Range": f"bytes={len(whole)}-"}).status == 416, "beyond the end")
        tag = self.get(viewer + name)["etag"]
        self.must(tag and self.get(viewer + name, {"If-None-Match": tag}).status == 304, "not modified", tag)

    def a_capped_token_stays_below(self):
        low, high = self.house.minted(h=240), self.house.viewer()
        rungs = sorted({name.split("/")[0] for name in self.house.names if name.startswith("v") and "/" in name}, key=lambda rung: int("".join(filter(str.isdigit, rung))))
        self.must(len(rungs) > 1, "the title has one rung:", rungs)
        lowest, highest = rungs[0], rungs[-1]
        for viewer in (high, low, high, low):
            for name in ("main.m3u8", "main.mpd"):
                text = self.get(viewer + name).body.decode()
                self.must((highest in text) == (viewer is high), name, "shows", text)
            self.must(self.get(viewer + f"{lowest}/init.mp4").status == 200, "lowest rung")
            for name in ("init.mp4", "0.m4s", "playlist.m3u8"):
                self.must(self.get(viewer + f"{highest}/{name}").status == (200 if viewer is high else 403), highest, name)

    def many_ask_and_one_fetch(self):
        viewer, name = self.house.viewer(), self.fresh()
        self.house.right(name)
        before, answers = self.house_requests(), []
        threads = [threading.Thread(target=lambda: answers.append(self.get(viewer + name))) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for answer in answers:
            self.same(answer, name, "one of many")
        fetched = self.house_requests() - before
        self.must(len(answers) == 30 and fetched == 1, "fetches:", fetched)

    def house_requests(self):
        """Segments that Kinora was asked for."""
        text = ask(self.house.url, "/metrics").body.decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("kinora_edge_requests_total"))

    def who_is_sent_away_is_refused_soon(self):
        house = self.house
        person = {"email": f"{uuid.uuid4()}@example.org", "name": "Viewer", "password": "a long password"}
        house.call("POST", "/api/v1/users", house.admin, {**person, "role": "creator"})
        signed_in = house.call("POST", "/api/v1/session", {}, {key: person[key] for key in ("email", "password")})
        cookie = {"Cookie": next(value for key, value in signed_in.headers if key.lower() == "set-cookie").split(";")[0]}
        stopped, signed_out = house.playback(house.title, cookie), house.playback(house.title, cookie)
        name = self.house.names[0]
        for playback, end in ((stopped, f"/api/v1/me/streams/{stopped['session']}"), (signed_out, "/api/v1/session")):
            prefix = house.prefix(playback)
            self.must(self.get(prefix + name).status == 200, "not let in")
            house.call("DELETE", end, cookie)
            since = time.monotonic()
            while self.get(prefix + name).status == 200:
                self.must(time.monotonic() - since < REFUSED_WITHIN, "still let in after", end)
                time.sleep(0.05)
            self.must(self.get(prefix + name).status == 401, "refused otherwise")
            print(f"{self.name}: refused {time.monotonic() - since:.1f} s after DELETE {end.rpartition('/')[0]}/…")
        # For later: known here, and sent away.
        self.sent_away = house.prefix(stopped)


def frames(base, address):
    """The checksum of every decoded frame of picture and sound."""
    command = ["ffmpeg", "-v", "error", "-i", base + address, "-map", "0:v:0", "-map", "0:a:0", "-f", "framemd5", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    must(done.returncode == 0 and not done.stderr, f"{base}: ffmpeg says:", done.stderr)
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


def everything_plays(house, caches):
    for kind in ("hls_url", "dash_url"):
        right = frames(house.url, house.playback(house.title, {})[kind])
        must(len(right) > 20 * 25, "frames:", len(right))
        for cache in caches:
            for _ in range(2):
                cache.must(frames(cache.url, house.playback(house.title, {})[kind]) == right, kind, "has other frames")
        print(f"{kind.partition('_')[0]}: {len(right)} frames are the same through all")


def together(count, act):
    """What so many get who ask at the same time."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return [asked.result() for asked in [pool.submit(act) for _ in range(count)]]


def arriving(base, path):
    """A body, and seconds from its first bytes to its last."""
    with urllib.request.urlopen(base + path, timeout=40) as answer:
        body, began = answer.read1(), time.monotonic()
        body += answer.read()
        return body, time.monotonic() - began


def an_event_is_shared(house, caches, event):
    """Playlists that are waited for, and segments that are being made, are asked for once for all."""
    for cache in caches:
        viewer = house.viewer(event)
        rung = next(line for line in cache.get(viewer + "main.m3u8").body.decode().splitlines() if line.endswith("/playlist.m3u8"))
        track = rung.split("/")[0]
        told = ask(house.url, viewer + rung).body.decode()
        coming = int(told.split("#EXT-X-MEDIA-SEQUENCE:")[1].split()[0]) + told.count("#EXTINF") + 1
        before = cache.house_requests()
        answers = together(10, lambda: cache.get(f"{viewer}{rung}?_HLS_msn={coming}&_HLS_part=0&_HLS_skip=YES"))
        cache.must({answer.status for answer in answers} == {200} and len({answer.body for answer in answers}) == 1, "a playlist that is waited for")
        cache.must(f"\n{coming - 1}.m4s\n" in answers[0].body.decode(), "it tells too little:", answers[0].body)
        fetched = cache.house_requests() - before
        cache.must(fetched == 1, "fetches of a playlist:", fetched)
        segment = f"{track}/{coming - 1}.m4s"
        for hit in (False, True):
            answer = cache.get(house.viewer(event) + segment)
            cache.must(answer.status == 200 and answer.body == ask(house.url, viewer + segment).body, "a live segment")
            cache.must(answer.is_hit == hit, "a live segment:", answer["cache-status"])
        # Part by part, while it is made.
        before = cache.house_requests()
        chunks = f"{viewer}{track}/{coming + 1}.chunks.m4s"
        bodies = together(5, lambda: arriving(cache.url, chunks))
        fetched = cache.house_requests() - before
        cache.must(fetched == 1, "fetches of a segment that is being made:", fetched)
        cache.must({body for body, _ in bodies} == {ask(house.url, chunks).body}, "a segment that is being made")
        spread = sorted(took for _, took in bodies)
        cache.must(spread[-1] > 1, "nobody got it while it was made:", spread)
        print(f"{cache.name}: a segment that is being made arrives over {spread[0]:.1f} to {spread[-1]:.1f} s")


def plays_on_without(house, pid, caches):
    """Kinora is killed: what is held is served to whom the cache knows, and to nobody else."""
    known = house.viewer()
    unknown = house.viewer()
    held = {name: ask(house.url, known + name).body for name in house.names if not name.startswith("storyboard")}
    for cache in caches:
        for name in held:
            cache.must(cache.get(known + name).status == 200, "not filled", name)
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    for patience in (0, MANIFEST_SECONDS + 2):
        time.sleep(max(0, killed + patience - time.monotonic()))
        for cache in caches:
            for name, right in held.items():
                answer = cache.get(known + name)
                cache.must(answer.status == 200 and answer.body == right, f"{patience} s without Kinora:", name, answer.status)
            for prefix, who in ((unknown, "somebody new"), (cache.sent_away, "somebody sent away")):
                status = cache.get(prefix + "main.m3u8").status
                cache.must(status in (401, 403) or status >= 500, who, "is let in:", status)
        print(f"{patience} s without Kinora: {len(held)} names are served, to those who were let in before")
    for cache in caches:
        began = time.monotonic()
        status = cache.get(known + "v/999.m4s").status
        cache.must(status >= 500 and time.monotonic() - began < 5, "what is not held:", status, time.monotonic() - began)


CLAIMS = [
    Cache.a_second_viewer_gets_hits,
    Cache.strangers_are_refused,
    Cache.odd_addresses_are_nothing,
    Cache.queries_do_not_split,
    Cache.what_counts_splits_and_cannot_poison,
    Cache.headers_cannot_poison,
    Cache.texts_come_plain_and_packed,
    Cache.parts_and_conditions,
    Cache.a_capped_token_stays_below,
    Cache.many_ask_and_one_fetch,
    Cache.who_is_sent_away_is_refused_soon,
]


def main():
    url, pid, key, title, other, event = sys.argv[1:7]
    house = House(url, key, title, other)
    caches = [Cache(house, *named.split("=", 1)) for named in sys.argv[7:]]
    an_event_is_shared(house, caches, event)
    for claim in CLAIMS:
        for cache in caches:
            claim(cache)
        print(f"{claim.__name__.replace('_', ' ')}: {', '.join(cache.name for cache in caches)}")
    everything_plays(house, caches)
    plays_on_without(house, int(pid), caches)


main()

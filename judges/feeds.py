"""Reads an instance's feeds and sitemap as readers and search engines do: python3 feeds.py SERVER TITLE."""

import sys
import urllib.request

import feedparser
from lxml import etree


def main():
    server, title = sys.argv[1:3]
    feed = feedparser.parse(f"{server}/feeds/latest.xml")
    assert feed.status == 200 and not feed.bozo, feed.get("bozo_exception")
    assert feed.version == "rss20", feed.version
    page = f"{server}/watch/{title}"
    entry = next(entry for entry in feed.entries if entry.link == page)
    assert entry.id == page and entry.title and entry.published_parsed, entry
    assert entry.media_player["url"] == f"{server}/embed/{title}", entry.media_player
    picture = entry.media_thumbnail[0]["url"]
    with urllib.request.urlopen(picture) as answer:
        assert answer.headers["content-type"].startswith("image/"), picture
    again = feedparser.parse(f"{server}/feeds/latest.xml", etag=feed.etag)
    assert again.status == 304, again.status
    namespace = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    with urllib.request.urlopen(f"{server}/sitemap.xml") as answer:
        places = etree.parse(answer).xpath("//s:url/s:loc/text()", namespaces=namespace)
    assert page in places, places
    print(f"feeds: {len(feed.entries)} entries, sitemap: {len(places)} places")


main()

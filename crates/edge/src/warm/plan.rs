//! What there is of a presentation: its lists are read as a player reads them.

use std::collections::{HashSet, VecDeque};

/// How much of each rendition is its start, seconds.
const START_S: f64 = 30.0;
/// Most answers that one warm-up fetches.
const MOST: usize = 500_000;
/// Where everything begins.
const ROOTS: [&str; 3] = ["main.m3u8", "main.mpd", "storyboard.vtt"];

/// Lists that are to be read, and what those say that were.
pub struct Plan {
    start_only: bool,
    lists: VecDeque<String>,
    rest: Vec<String>,
    seen: HashSet<String>,
}

impl Plan {
    pub fn new(start_only: bool) -> Self {
        let lists: VecDeque<String> = ROOTS.map(str::to_owned).into();
        let seen = lists.iter().cloned().collect();
        Self { start_only, lists, rest: Vec::new(), seen }
    }

    /// A list to be fetched, and read if it is one of HLS or WebVTT.
    pub fn next_list(&mut self) -> Option<String> {
        self.lists.pop_front()
    }

    /// What is left when all lists were read.
    pub fn rest(self) -> Vec<String> {
        self.rest
    }

    /// Notes what a list refers to. `name` is its address within the presentation.
    pub fn read(&mut self, name: &str, text: &str) {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        if name.ends_with(".vtt") {
            let images = text.lines().filter(|line| !line.contains("-->"));
            let images = images.filter_map(|line| line.split_once("#xywh").map(|(image, _)| image));
            images.for_each(|image| self.add(folder, image));
            return;
        }
        if !text.starts_with("#EXTM3U") {
            return;
        }
        // Pictures for seeking come in sheets too, and players ask for few of these.
        if self.start_only && text.contains("#EXT-X-I-FRAMES-ONLY") {
            return;
        }
        let mut passed = 0.0;
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("#EXTINF:") {
                let duration = rest.split(',').next().and_then(|text| text.parse::<f64>().ok());
                passed += duration.unwrap_or(0.0);
            } else if line.starts_with("#EXT") {
                let uri = line.split_once("URI=\"").and_then(|(_, rest)| rest.split_once('"'));
                if let Some((uri, _)) = uri {
                    self.add(folder, uri);
                }
            } else if !line.is_empty() && !line.starts_with('#') {
                self.add(folder, line);
                if self.start_only && passed >= START_S {
                    return;
                }
            }
        }
    }

    /// Whatever is not below the presentation is not ours to fetch.
    fn add(&mut self, folder: &str, uri: &str) {
        let between = if folder.is_empty() { "" } else { "/" };
        let name = format!("{folder}{between}{uri}");
        let odd = uri.starts_with('/') || name.contains([':', '?', '#', '%']) || name.contains("..");
        if odd || self.seen.len() >= MOST || !self.seen.insert(name.clone()) {
            return;
        }
        if name.ends_with(".m3u8") {
            self.lists.push_back(name);
        } else {
            self.rest.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"a/list.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv1/list.m3u8\n\
        #EXT-X-I-FRAME-STREAM-INF:URI=\"v1/iframes.m3u8\"\n";

    fn media(segments: usize) -> String {
        let segments: String = (0..segments).map(|n| format!("#EXTINF:4.000,\n{n}.m4s\n")).collect();
        format!("#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n{segments}#EXT-X-ENDLIST\n")
    }

    fn all(start_only: bool) -> Vec<String> {
        let mut plan = Plan::new(start_only);
        while let Some(list) = plan.next_list() {
            match &*list {
                "main.m3u8" => plan.read(&list, MAIN),
                "main.mpd" => plan.read(&list, "<MPD/>"),
                "storyboard.vtt" => plan.read(
                    &list,
                    "WEBVTT\n\n00:00.000 --> 00:01.000\nsheet/0.jpg#xywh=0,0,1,1\n\n00:01.000 --> 00:02.000\nsheet/0.jpg#xywh=1,0,1,1\n",
                ),
                "v1/iframes.m3u8" => plan.read(&list, "#EXTM3U\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:2,\n0.ifr\n"),
                _ => plan.read(&list, &media(20)),
            }
        }
        plan.rest()
    }

    #[test]
    fn everything_is_found_once() {
        let all = all(false);
        assert_eq!(all.len(), 1 + 2 * 21 + 1, "{all:?}");
        for name in ["sheet/0.jpg", "a/init.mp4", "a/0.m4s", "v1/19.m4s", "v1/0.ifr"] {
            assert!(all.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn the_start_is_half_a_minute_of_each() {
        let start = all(true);
        assert_eq!(start.len(), 1 + 2 * (1 + 8), "{start:?}");
        assert!(!start.iter().any(|name| name.ends_with("ifr")));
    }

    #[test]
    fn nothing_else_is_fetched() {
        let mut plan = Plan::new(false);
        plan.read("main.m3u8", "#EXTM3U\n/etc\nhttp://elsewhere/x\n../up.m4s\na/../b\nx?y=1\nx%2fy\n");
        plan.read("v1/x.m3u8", "not a list\nx.m4s\n");
        assert!(plan.rest().is_empty());
    }
}

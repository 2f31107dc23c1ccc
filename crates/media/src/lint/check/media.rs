//! Headers and segments of one rendition, and what can be seen in them.

use std::{collections::BTreeMap, ops::Range, rc::Rc};

use super::{Walk, chosen};
use crate::lint::{
    Answer, Want, http,
    loaded::{Loaded, Media},
    mp4::{Header, fragments, header},
};

/// A part of a rendition that has an address.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    pub url: String,
    pub range: Option<Range<u64>>,
    /// Address of the header that it needs, if any.
    pub header: Option<(String, Option<Range<u64>>)>,
    /// Its bytes are encrypted as a whole.
    pub opaque: bool,
    /// It is not there, on purpose.
    pub gap: bool,
    /// The range may end before the last box does.
    pub cut: bool,
}

/// Pieces fetched at once.
const BATCH: usize = 8;
/// Sizes of one rendition that are asked for: a film has thousands of segments, and each size costs a request.
const MOST_SIZES: usize = 300;
/// No size counts for more, so that sums are safe.
const HUGE: u64 = 1 << 40;
/// Sizes asked for at once.
const SIZES: usize = 32;
/// Headers of one presentation that are read.
const MOST_HEADERS: usize = 500;

/// Headers by address and range.
pub type Headers = BTreeMap<(String, u64, u64), Option<Rc<Header>>>;

impl Walk<'_> {
    /// Fetches the headers, a choice of the pieces, and the sizes of the others.
    pub fn load(&mut self, pieces: &[Piece], sizes: bool) -> Vec<Loaded> {
        self.headers(pieces);
        let chosen = chosen(pieces.len(), self.options.all_segments);
        let mut loaded: Vec<Loaded> = pieces
            .iter()
            .map(|piece| Loaded {
                header: piece
                    .header
                    .as_ref()
                    .and_then(|key| self.headers.get(&key_of(key)).cloned().flatten()),
                bytes: piece.range.as_ref().map(|r| r.end.saturating_sub(r.start).min(HUGE)),
                url: piece.url.clone(),
                ..Loaded::default()
            })
            .collect();
        let wanted: Vec<usize> = (0..pieces.len()).filter(|n| chosen[*n] && !pieces[*n].gap).collect();
        for batch in wanted.chunks(BATCH) {
            let wants: Vec<Want> = batch.iter().map(|n| want(&pieces[*n])).collect();
            for (n, answer) in batch.iter().zip(self.fetch(&wants)) {
                if let Some(answer) = answer {
                    self.piece(&pieces[*n], &answer, &mut loaded[*n]);
                }
            }
        }
        let unknown: Vec<usize> = (0..pieces.len())
            .filter(|n| sizes && !chosen[*n] && !pieces[*n].gap && loaded[*n].bytes.is_none())
            .collect();
        if unknown.len() > MOST_SIZES {
            self.report
                .unchecked("sizes of long renditions were not asked for: --all-segments reads all of them");
            return loaded;
        }
        for batch in unknown.chunks(SIZES) {
            let wants: Vec<Want> =
                batch.iter().map(|n| Want { size_only: true, ..Want::whole(&pieces[*n].url) }).collect();
            for (n, answer) in batch.iter().zip(self.fetch(&wants)) {
                loaded[*n].bytes = answer.and_then(|a| a.size).map(|size| size.min(HUGE));
            }
        }
        loaded
    }

    fn headers(&mut self, pieces: &[Piece]) {
        for key in pieces.iter().filter_map(|p| p.header.as_ref()) {
            if self.headers.contains_key(&key_of(key)) || self.headers.len() >= MOST_HEADERS {
                continue;
            }
            let want = Want { range: key.1.clone(), ..Want::whole(&key.0) };
            let answer = self.fetch(&[want]).pop().flatten();
            let read = answer.and_then(|answer| {
                // TS has headers too: tables of packets.
                if answer.body.first() == Some(&0x47) {
                    return None;
                }
                http::check(&answer, http::Kind::Mp4, &mut self.report);
                header::read(&answer.body, &key.0, &mut self.report)
            });
            self.headers.insert(key_of(key), read.map(Rc::new));
        }
    }

    fn piece(&mut self, piece: &Piece, answer: &Answer, loaded: &mut Loaded) {
        let body = &answer.body;
        loaded.bytes = Some(body.len() as u64);
        loaded.start = body[..body.len().min(4 * 188)].to_vec();
        let report = &mut self.report;
        if piece.opaque {
            report.unchecked("segments encrypted as a whole (METHOD=AES-128) were not looked into");
            loaded.media = Some(Media::Encrypted);
            return;
        }
        let kind = body.get(4..8).unwrap_or_default();
        let media = if matches!(
            kind,
            b"ftyp" | b"styp" | b"moof" | b"moov" | b"sidx" | b"emsg" | b"prft" | b"free" | b"mdat"
        ) {
            http::check(answer, http::Kind::Mp4, report);
            if kind == b"ftyp" && loaded.header.is_none() {
                loaded.header = header::read(body, &piece.url, report).map(Rc::new);
            }
            let none = Header::default();
            let header = loaded.header.as_deref().unwrap_or(&none);
            Media::Mp4(fragments::read(body, &piece.url, header, piece.cut, report))
        } else if body.first() == Some(&0x47) {
            http::check(answer, http::Kind::Ts, report);
            report.looked_at("segments");
            report.unchecked(
                "MPEG-2 TS was not demultiplexed: codecs, key frames and timestamps in it are not checked",
            );
            packets(body, &piece.url, report);
            Media::Ts
        } else if body.starts_with(b"WEBVTT") || body.starts_with(b"\xef\xbb\xbfWEBVTT") {
            http::check(answer, http::Kind::WebVtt, report);
            report.looked_at("segments");
            Media::WebVtt
        } else if body.starts_with(b"ID3")
            || matches!(body.first_chunk(), Some([0xff, b]) if b & 0xf0 == 0xf0)
        {
            http::check(answer, http::Kind::PackedAudio, report);
            report.looked_at("segments");
            report.unchecked("packed audio was not decoded: its codec and duration are not checked");
            Media::PackedAudio
        } else if body.starts_with(b"\xff\xd8\xff") || body.starts_with(b"\x89PNG") {
            http::check(answer, http::Kind::Image, report);
            report.looked_at("images");
            Media::Image(super::super::image_size(body))
        } else {
            Media::Unknown
        };
        loaded.media = Some(media);
    }
}

/// TS packets (ISO/IEC 13818-1 §2.4.3.2).
fn packets(body: &[u8], url: &str, report: &mut crate::lint::Report) {
    use crate::lint::{Place, rules::hls_media as rules};
    let bad = body.chunks(188).position(|packet| packet.len() != 188 || packet[0] != 0x47);
    if let Some(n) = bad {
        report.add(
            &rules::TS_PACKETS,
            Place::whole(url),
            format!("packet {n} is short or does not begin with 0x47"),
        );
    }
}

fn want(piece: &Piece) -> Want {
    Want { url: piece.url.clone(), range: piece.range.clone(), size_only: false }
}

fn key_of((url, range): &(String, Option<Range<u64>>)) -> (String, u64, u64) {
    let (start, end) = range.as_ref().map_or((0, u64::MAX), |r| (r.start, r.end));
    (url.clone(), start, end)
}

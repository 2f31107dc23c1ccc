//! Headers: `ftyp` and a `moov` without samples (ISO/IEC 23000-19 §7.3.1, RFC 8216bis §3.1.2).

use super::{
    boxes::{Context, Node, children},
    encryption,
    entry::{self, Entry},
    name,
};
use crate::{
    codec::{Colour, opus},
    lint::{Report, rules::cmaf as rules},
};

/// A header as it was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// Major brand first.
    pub brands: Vec<[u8; 4]>,
    pub tracks: Vec<Track>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Track {
    pub id: u32,
    pub handler: [u8; 4],
    pub timescale: u32,
    pub entry: Entry,
    /// What an edit list takes off media times, ticks.
    pub shift: i64,
    /// Duration, size and flags of samples that are told nowhere else.
    pub defaults: (u32, u32, u32),
    pub has_defaults: bool,
}

impl Header {
    pub fn is_cmaf(&self) -> bool {
        self.brands.iter().any(|b| matches!(b, b"cmfc" | b"cmf2"))
    }

    pub fn track(&self, id: u32) -> Option<&Track> {
        self.tracks.iter().find(|t| t.id == id)
    }

    /// The track of a kind of media, if any.
    pub fn of(&self, handler: [u8; 4]) -> Option<&Track> {
        self.tracks.iter().find(|t| t.handler == handler)
    }
}

/// Tracks that are read.
const MOST_TRACKS: usize = 64;

/// Reads a header; whatever it lacks is told.
pub fn read(bytes: &[u8], url: &str, report: &mut Report) -> Option<Header> {
    report.looked_at("headers");
    let mut context = Context { url, report };
    let context = &mut context;
    let top = children("", bytes, 0, context);
    let mut header = Header::default();
    let order: Vec<[u8; 4]> =
        top.iter().map(|n| n.kind).filter(|k| !matches!(k, b"free" | b"skip" | b"sidx" | b"uuid")).collect();
    if !matches!(order[..], [a, b, ..] if &a == b"ftyp" && &b == b"moov") {
        let found: Vec<String> = order.iter().take(6).map(|k| name(*k)).collect();
        context.add(&rules::HEADER_ORDER, "", format!("it begins with {}", found.join(", ")));
    }
    if let Some(ftyp) = context.need("", &top, b"ftyp") {
        header.brands = brands(ftyp, context);
    }
    let moov = context.need("", &top, b"moov")?;
    let inside = children("moov", moov.body, moov.body_start(), context);
    if let Some(mvhd) = context.need("moov", &inside, b"mvhd") {
        duration(mvhd, &header, [16, 24], context);
    }
    for pssh in inside.iter().filter(|n| &n.kind == b"pssh") {
        encryption::pssh(pssh, context);
    }
    for trak in inside.iter().filter(|n| &n.kind == b"trak").take(MOST_TRACKS) {
        if let Some(track) = track(trak, &header, context) {
            header.tracks.push(track);
        }
    }
    if header.tracks.is_empty() && !inside.iter().any(|n| &n.kind == b"trak") {
        context.need("moov", &inside, b"trak");
    }
    if header.is_cmaf() && header.tracks.len() > 1 {
        context.add(&rules::ONE_TRACK, "moov", format!("it describes {} tracks", header.tracks.len()));
    }
    extends(&inside, &mut header, context);
    Some(header)
}

fn brands(ftyp: &Node<'_>, context: &mut Context<'_>) -> Vec<[u8; 4]> {
    let mut brands = Vec::new();
    let (major, rest) = (ftyp.body.first_chunk::<4>(), ftyp.body.get(8..).unwrap_or_default());
    match major {
        Some(major) if rest.len() % 4 == 0 => {
            brands.push(*major);
            brands.extend(rest.chunks_exact(4).filter_map(|b| <[u8; 4]>::try_from(b).ok()));
        }
        _ => context.add(&rules::BOX_CONTENT, &ftyp.path, "it is not a list of brands"),
    }
    let later: [&[u8; 4]; 11] =
        [b"iso6", b"iso7", b"iso8", b"iso9", b"isoa", b"isob", b"isoc", b"cmfc", b"cmf2", b"dash", b"cmff"];
    if !brands.iter().any(|b| later.contains(&b)) {
        let found: Vec<String> = brands.iter().map(|b| name(*b)).collect();
        context.add(&rules::BRAND, &ftyp.path, format!("the brands are {}", found.join(", ")));
    }
    if !brands.iter().any(|b| matches!(b, b"cmfc" | b"cmf2")) {
        context.add(&rules::NOT_CMAF, &ftyp.path, "it does not claim to be CMAF");
    }
    brands
}

/// A duration field of a full box; where it lies depends on the version.
fn duration(node: &Node<'_>, header: &Header, offsets: [usize; 2], context: &mut Context<'_>) {
    let told = context.fields(node, |f| {
        let (version, _) = f.version_and_flags()?;
        f.skip(offsets[usize::from(version == 1)] - 4)?;
        if version == 1 { f.u64() } else { f.u32().map(u64::from) }
    });
    // All ones mean unknown (ISO/IEC 14496-12 §8.2.2.3).
    let unknown = |d: u64| matches!(d, 0 | 0xffff_ffff | u64::MAX);
    if let Some(told) = told.filter(|d| header.is_cmaf() && !unknown(*d)) {
        context.add(&rules::HEADER_DURATION, &node.path, format!("the duration is {told}"));
    }
}

fn track(trak: &Node<'_>, header: &Header, context: &mut Context<'_>) -> Option<Track> {
    let inside = children(&trak.path, trak.body, trak.body_start(), context);
    let mut track = Track::default();
    if let Some(tkhd) = context.need(&trak.path, &inside, b"tkhd") {
        track.id = context.fields(tkhd, |f| {
            let (version, _) = f.version_and_flags()?;
            f.skip(if version == 1 { 16 } else { 8 })?;
            f.u32()
        })?;
        duration(tkhd, header, [20, 28], context);
    }
    let mdia = context.need(&trak.path, &inside, b"mdia")?;
    let media = children(&mdia.path, mdia.body, mdia.body_start(), context);
    if let Some(mdhd) = context.need(&mdia.path, &media, b"mdhd") {
        track.timescale = context.fields(mdhd, |f| {
            let (version, _) = f.version_and_flags()?;
            f.skip(if version == 1 { 16 } else { 8 })?;
            f.u32()
        })?;
        duration(mdhd, header, [16, 24], context);
        if track.timescale == 0 {
            context.add(&rules::TIMESCALE, &mdhd.path, "the timescale is 0");
        }
    }
    if let Some(hdlr) = context.need(&mdia.path, &media, b"hdlr") {
        track.handler = context.fields(hdlr, |f| {
            f.skip(8)?;
            f.array()
        })?;
    }
    let minf = context.need(&mdia.path, &media, b"minf")?;
    let info = children(&minf.path, minf.body, minf.body_start(), context);
    media_header(&track, minf, &info, context);
    let stbl = context.need(&minf.path, &info, b"stbl")?;
    let table = children(&stbl.path, stbl.body, stbl.body_start(), context);
    no_samples(&stbl.path, &table, context);
    if let Some(stsd) = context.need(&stbl.path, &table, b"stsd") {
        sample_entries(stsd, &mut track, context);
    }
    video_entry(&track, header, &stbl.path, context);
    edits(&inside, &mut track, header, context);
    pre_skip(&track, &trak.path, context);
    Some(track)
}

/// Handler and media header box agree (ISO/IEC 14496-12 §8.4.5).
fn media_header(track: &Track, minf: &Node<'_>, info: &[Node<'_>], context: &mut Context<'_>) {
    let wanted: &[&[u8; 4]] = match &track.handler {
        b"vide" => &[b"vmhd"],
        b"soun" => &[b"smhd"],
        b"subt" => &[b"sthd", b"nmhd"],
        b"text" | b"meta" => &[b"nmhd", b"sthd", b"gmhd"],
        _ => return,
    };
    if !info.iter().any(|n| wanted.contains(&&n.kind)) {
        let what =
            format!("the handler is `{}`, and there is no `{}`", name(track.handler), name(*wanted[0]));
        context.add(&rules::HANDLER, &minf.path, what);
    }
}

/// Sample tables are there and empty.
fn no_samples(path: &str, table: &[Node<'_>], context: &mut Context<'_>) {
    for (kind, offset) in [(b"stts", 4), (b"stsc", 4), (b"stsz", 8), (b"stco", 4)] {
        let node = match kind {
            b"stsz" if table.iter().any(|n| &n.kind == b"stz2") => continue,
            b"stco" if table.iter().any(|n| &n.kind == b"co64") => continue,
            _ => context.need(path, table, kind),
        };
        let Some(node) = node else { continue };
        let count = context.fields(node, |f| {
            f.skip(offset)?;
            f.u32()
        });
        if let Some(count) = count.filter(|c| *c > 0) {
            context.add(&rules::SAMPLES_IN_MOOV, &node.path, format!("it has {count} entries"));
        }
    }
}

fn sample_entries(stsd: &Node<'_>, track: &mut Track, context: &mut Context<'_>) {
    let body = stsd.body.get(8..).unwrap_or_default();
    let entries = children(&stsd.path, body, stsd.body_start() + 8, context);
    let Some(first) = entries.first() else {
        context.add(&rules::BOX_MISSING, &stsd.path, "there is no sample entry");
        return;
    };
    if let Some(entry) = entry::read(first, track.handler, context) {
        track.entry = entry;
    }
    let video = super::codecs::is_video(&name(track.entry.format));
    let audio =
        matches!(&track.entry.format, b"mp4a" | b"ac-3" | b"ec-3" | b"ac-4" | b"Opus" | b"fLaC" | b"mha1");
    if (video && &track.handler != b"vide") || (audio && &track.handler != b"soun") {
        let what = format!(
            "`{}` stands in a track with the handler `{}`",
            name(track.entry.format),
            name(track.handler)
        );
        context.add(&rules::HANDLER, &first.path, what);
    }
}

fn video_entry(track: &Track, header: &Header, path: &str, context: &mut Context<'_>) {
    if &track.handler != b"vide" {
        return;
    }
    let entry = &track.entry;
    if let Some((width, height)) = entry.coded.filter(|size| *size != (entry.width, entry.height)) {
        let what = format!(
            "the sample entry says {}x{}, its parameter set {width}x{height}",
            entry.width, entry.height
        );
        context.add(&rules::PICTURE_SIZE, path, what);
    }
    if let Some((told, coded)) = entry.colour.zip(entry.coded_colour).filter(|(a, b)| a != b) {
        let text = |c: Colour| format!("{}/{}/{}", c.primaries, c.transfer, c.matrix);
        let what = format!("colr says {}, the bitstream {}", text(told), text(coded));
        context.add(&rules::COLR_DIFFERS, path, what);
    }
    if header.is_cmaf() && entry.aspect.is_none() {
        context.add(&rules::PASP, path, "the sample entry has no pasp");
    }
    if header.is_cmaf() && !entry.has_colour && entry.coded_colour.is_some() {
        context.add(&rules::COLR, path, "the parameter set tells the colours, the sample entry has no colr");
    }
}

/// What the edit list takes off, and whether CMAF allows it (ISO/IEC 23000-19 §7.5.13).
fn edits(inside: &[Node<'_>], track: &mut Track, header: &Header, context: &mut Context<'_>) {
    let Some(edts) = context.one(inside, b"edts") else { return };
    let lists = children(&edts.path, edts.body, edts.body_start(), context);
    let Some(elst) = context.one(&lists, b"elst") else { return };
    let entries = context.fields(elst, |f| {
        let (version, _) = f.version_and_flags()?;
        let count = f.u32()?.min(1000);
        let mut entries = Vec::new();
        for _ in 0..count {
            let (duration, time) = if version == 1 {
                (f.u64()?, f.u64()?.cast_signed())
            } else {
                (u64::from(f.u32()?), i64::from(f.i32()?))
            };
            entries.push((duration, time, f.u32()?));
        }
        Ok(entries)
    });
    let entries = entries.unwrap_or_default();
    // An empty edit first (media time -1) only delays; the first real one tells where media begins.
    track.shift = entries.iter().map(|(_, time, _)| *time).find(|time| *time >= 0).unwrap_or(0);
    if !header.is_cmaf() || entries.is_empty() {
        return;
    }
    let (duration, time, rate) = entries[0];
    let second = header.brands.contains(b"cmf2") && &track.handler == b"vide";
    if entries.len() > 1 || duration != 0 || time < 0 || rate != 0x0001_0000 || second {
        let what = format!(
            "{} entries, the first of duration {duration}, media time {time}, rate {rate:#x}",
            entries.len()
        );
        context.add(&rules::EDIT_LIST, &elst.path, what);
    }
}

/// What an Opus decoder gives out before the sound begins is taken off.
fn pre_skip(track: &Track, path: &str, context: &mut Context<'_>) {
    let Some(told) = track.entry.pre_skip else { return };
    let ticks = i64::from(told) * i64::from(track.timescale) / i64::from(opus::RATE);
    if track.shift != ticks {
        let what = format!("dOps says {told} samples, the edit list begins at {} ticks", track.shift);
        context.add(&rules::OPUS_PRE_SKIP, path, what);
    }
}

/// `mvex` and the defaults of each track.
fn extends(inside: &[Node<'_>], header: &mut Header, context: &mut Context<'_>) {
    let Some(mvex) = context.one(inside, b"mvex") else {
        context.add(&rules::MVEX, "moov", "there is no mvex");
        return;
    };
    for trex in
        children(&mvex.path, mvex.body, mvex.body_start(), context).iter().filter(|n| &n.kind == b"trex")
    {
        let told = context.fields(trex, |f| {
            f.skip(4)?;
            let id = f.u32()?;
            f.skip(4)?;
            Ok((id, (f.u32()?, f.u32()?, f.u32()?)))
        });
        if let Some((id, defaults)) = told
            && let Some(track) = header.tracks.iter_mut().find(|t| t.id == id)
        {
            track.defaults = defaults;
            track.has_defaults = true;
        }
    }
    for track in header.tracks.iter().filter(|t| !t.has_defaults) {
        context.add(&rules::MVEX, &mvex.path, format!("track {} has no trex", track.id));
    }
}

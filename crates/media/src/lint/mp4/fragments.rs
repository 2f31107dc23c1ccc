//! Segments: runs of `moof` and `mdat` (ISO/IEC 23000-19 §7.3.2, ISO/IEC 14496-12 §8.8, RFC 8216bis §3.1.2).

use super::{
    boxes::{Context, Node, children},
    encryption,
    header::{Header, Track},
    nal, name,
};
use crate::lint::{Report, rules::cmaf as rules};

/// What was found in a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segment {
    pub fragments: Vec<Fragment>,
    /// It has a `moov` of its own.
    pub has_header: bool,
    pub bytes: u64,
}

/// The samples of one track in one `moof`. Times are ticks; presentation times are without what the edit list takes off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragment {
    pub sequence: u32,
    pub track: u32,
    pub start_dts: i64,
    pub end_dts: i64,
    pub start_pts: i64,
    pub end_pts: i64,
    pub samples: usize,
    pub sync: usize,
    /// Presentation time of the first sample.
    pub first_pts: i64,
    /// The shortest duration of a sample that is not 0.
    pub shortest: u32,
    /// Type of the stream access point that it begins with (ISO/IEC 14496-12 annex I); 0 when it does not.
    pub sap: u8,
    /// Samples from the first one whose bytes are all there.
    pub present: usize,
}

impl Segment {
    /// First and last fragment of a track.
    pub fn ends(&self, track: u32) -> Option<(&Fragment, &Fragment)> {
        let mut of = self.fragments.iter().filter(|f| f.track == track);
        let first = of.next()?;
        Some((first, of.next_back().unwrap_or(first)))
    }

    /// Earliest presentation time, and the end of the last sample to be shown.
    pub fn shown(&self, track: u32) -> Option<(i64, i64)> {
        let of = || self.fragments.iter().filter(|f| f.track == track);
        Some((of().map(|f| f.start_pts).min()?, of().map(|f| f.end_pts).max()?))
    }

    pub fn of(&self, track: u32) -> impl Iterator<Item = &Fragment> {
        self.fragments.iter().filter(move |f| f.track == track)
    }
}

/// Samples of one fragment that are read.
const MOST_SAMPLES: usize = 1 << 17;

#[derive(Debug, Clone, Copy)]
struct Sample {
    dts: i64,
    pts: i64,
    duration: u32,
    size: u32,
    sync: bool,
    /// Place of its first byte.
    start: u64,
}

/// Reads a segment. `cut` allows its last box to be incomplete, as in byte ranges of I-frame playlists.
pub fn read(bytes: &[u8], url: &str, header: &Header, cut: bool, report: &mut Report) -> Segment {
    report.looked_at("segments");
    let mut context = Context { url, report };
    let context = &mut context;
    let mut segment = Segment { bytes: bytes.len() as u64, ..Segment::default() };
    let padded;
    let (all, real) = match cut.then(|| missing(bytes)).flatten() {
        Some(missing) => {
            padded = [bytes, &vec![0; missing]].concat();
            (&padded[..], bytes.len() as u64)
        }
        None => (bytes, bytes.len() as u64),
    };
    let top = children("", all, 0, context);
    order(&top, context);
    segment.has_header = top.iter().any(|n| &n.kind == b"moov");
    for (n, moof) in top.iter().enumerate().filter(|(_, n)| &n.kind == b"moof") {
        let mdat =
            top[n + 1..].iter().find(|n| matches!(&n.kind, b"mdat" | b"moof")).filter(|n| &n.kind == b"mdat");
        fragment(moof, mdat, all, real, header, &mut segment, context);
    }
    for sidx in top.iter().filter(|n| &n.kind == b"sidx") {
        if !cut {
            index(sidx, &top, header, &segment, context);
        }
    }
    segment
}

/// Bytes that the last box lacks, up to 64 MiB.
fn missing(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    while let Some(size) = bytes.get(at..).and_then(|b| b.first_chunk::<4>()) {
        let size = u32::from_be_bytes(*size) as usize;
        if size < 8 {
            return None;
        }
        at = at.checked_add(size)?;
    }
    at.checked_sub(bytes.len()).filter(|n| (1..64 << 20).contains(n))
}

fn order(top: &[Node<'_>], context: &mut Context<'_>) {
    let kinds: Vec<[u8; 4]> = top.iter().map(|n| n.kind).collect();
    let mut wrong = None;
    for (n, kind) in kinds.iter().enumerate() {
        let before = &kinds[..n];
        let next = kinds[n + 1..].iter().find(|k| !matches!(*k, b"free" | b"skip" | b"uuid"));
        match kind {
            b"moof" if next != Some(b"mdat") => {
                wrong = Some(format!("the moof at {} has no mdat after it", top[n].start));
            }
            b"mdat" if !before.contains(b"moof") => {
                wrong = Some(format!("the mdat at {} has no moof before it", top[n].start));
            }
            // A segment of several chunks may repeat styp.
            b"styp" if n > 0 && !before.contains(b"mdat") => wrong = Some("styp is not the first box".into()),
            _ => {}
        }
    }
    if !kinds.contains(b"moof") {
        let found: Vec<String> = kinds.iter().take(6).map(|k| name(*k)).collect();
        wrong = Some(format!("there is no moof, only {}", found.join(", ")));
    }
    if let Some(what) = wrong {
        context.add(&rules::SEGMENT_ORDER, "", what);
    }
}

fn fragment(
    moof: &Node<'_>,
    mdat: Option<&Node<'_>>,
    all: &[u8],
    real: u64,
    header: &Header,
    segment: &mut Segment,
    context: &mut Context<'_>,
) {
    let inside = children(&moof.path, moof.body, moof.body_start(), context);
    let sequence = context
        .need(&moof.path, &inside, b"mfhd")
        .and_then(|mfhd| {
            context.fields(mfhd, |f| {
                f.skip(4)?;
                f.u32()
            })
        })
        .unwrap_or(0);
    for pssh in inside.iter().filter(|n| &n.kind == b"pssh") {
        encryption::pssh(pssh, context);
    }
    let trafs: Vec<&Node<'_>> = inside.iter().filter(|n| &n.kind == b"traf").collect();
    if trafs.is_empty() {
        context.need(&moof.path, &inside, b"traf");
    }
    if header.is_cmaf() && trafs.len() > 1 {
        context.add(&rules::ONE_TRAF, &moof.path, format!("there are {} traf", trafs.len()));
    }
    let mut used = 0;
    for traf in trafs {
        let Some((track, base, samples)) = samples(traf, moof, header, context) else { continue };
        used += samples.iter().map(|s| u64::from(s.size)).sum::<u64>();
        let Some(track) = header.track(track) else { continue };
        let (whole, has_subsamples) = data(traf, mdat, track, &samples, real, moof.start, context);
        let readable = track.entry.protection.is_none() || has_subsamples;
        let (random, open) = pictures(traf, track, &samples, all, real, readable && whole, context);
        let mut made = summary(sequence, track, base, &samples, (&random, open));
        made.present =
            samples.iter().take_while(|s| s.start.saturating_add(u64::from(s.size)) <= real).count();
        if header.is_cmaf() && &track.handler == b"vide" && made.samples > 0 && !matches!(made.sap, 1 | 2) {
            let what = format!("fragment {sequence} begins with an access point of type {}", made.sap);
            context.add(&rules::FRAGMENT_SAP, &traf.path, what);
        }
        segment.fragments.push(made);
    }
    if let Some(mdat) = mdat.filter(|m| used < m.body.len() as u64 && m.end() <= real) {
        let what = format!("{} of {} bytes of mdat belong to samples", used, mdat.body.len());
        context.add(&rules::MDAT_LEFTOVER, &mdat.path, what);
    }
}

/// Track number, decode time and samples of a `traf`.
fn samples(
    traf: &Node<'_>,
    moof: &Node<'_>,
    header: &Header,
    context: &mut Context<'_>,
) -> Option<(u32, u64, Vec<Sample>)> {
    let inside = children(&traf.path, traf.body, traf.body_start(), context);
    let tfhd = context.need(&traf.path, &inside, b"tfhd")?;
    let (flags, id, told) = context.fields(tfhd, |f| {
        let (_, flags) = f.version_and_flags()?;
        let id = f.u32()?;
        f.skip(if flags & 1 == 0 { 0 } else { 8 })?;
        f.skip(if flags & 2 == 0 { 0 } else { 4 })?;
        let mut told = [None; 3];
        for (bit, field) in [0x8, 0x10, 0x20].into_iter().zip(&mut told) {
            *field = if flags & bit == 0 { None } else { Some(f.u32()?) };
        }
        Ok((flags, id, told))
    })?;
    if flags & 0x2_0000 == 0 || flags & 1 != 0 {
        let what = format!("the flags are {flags:#08x}");
        context.add(&rules::BASE_IS_MOOF, &tfhd.path, what);
    }
    let track = header.track(id);
    if track.is_none() && !header.tracks.is_empty() {
        context.add(&rules::TRAF_TRACK, &tfhd.path, format!("the header has no track {id}"));
    }
    let defaults = track.map(|t| t.defaults).unwrap_or_default();
    let defaults =
        (told[0].unwrap_or(defaults.0), told[1].unwrap_or(defaults.1), told[2].unwrap_or(defaults.2));
    let tfdt = context.one(&inside, b"tfdt");
    if tfdt.is_none() {
        context.add(&rules::TFDT, &traf.path, "there is no tfdt");
    }
    let base = tfdt.and_then(|tfdt| {
        context.fields(tfdt, |f| {
            let (version, _) = f.version_and_flags()?;
            if version == 1 { f.u64() } else { f.u32().map(u64::from) }
        })
    });
    let base = base.unwrap_or(0);
    let truns: Vec<&Node<'_>> = inside.iter().filter(|n| &n.kind == b"trun").collect();
    if header.is_cmaf() && truns.len() != 1 {
        context.add(&rules::ONE_TRAF, &traf.path, format!("there are {} trun", truns.len()));
    }
    let mut out = Vec::new();
    let mut dts = i64::try_from(base).unwrap_or(i64::MAX);
    let mut next = moof.end().saturating_add(8);
    for trun in truns {
        run(trun, moof.start, defaults, (&mut dts, &mut next), &mut out, context);
    }
    if let Some(n) = out.iter().position(|s| s.size == 0 || s.duration == 0) {
        let what = format!("sample {n} has {} bytes and lasts {} ticks", out[n].size, out[n].duration);
        context.add(&rules::SAMPLE_EMPTY, &traf.path, what);
    }
    Some((id, base, out))
}

fn run(
    trun: &Node<'_>,
    base: u64,
    defaults: (u32, u32, u32),
    (dts, next): (&mut i64, &mut u64),
    out: &mut Vec<Sample>,
    context: &mut Context<'_>,
) {
    let room = MOST_SAMPLES - out.len();
    let made = context.fields(trun, |f| {
        let (version, flags) = f.version_and_flags()?;
        let count = f.u32()?;
        if flags & 1 != 0 {
            *next = base.saturating_add_signed(i64::from(f.i32()?));
        }
        let first_flags = if flags & 4 == 0 { None } else { Some(f.u32()?) };
        let mut made = Vec::new();
        for n in 0..(count as usize).min(room) {
            let mut told = |bit: u32| if flags & bit == 0 { Ok(None) } else { f.u32().map(Some) };
            let (duration, size) = (told(0x100)?.unwrap_or(defaults.0), told(0x200)?.unwrap_or(defaults.1));
            let own = told(0x400)?.or(first_flags.filter(|_| n == 0)).unwrap_or(defaults.2);
            let offset = told(0x800)?.unwrap_or(0);
            let offset = if version == 0 { i64::from(offset) } else { i64::from(offset.cast_signed()) };
            let pts = dts.saturating_add(offset);
            made.push(Sample { dts: *dts, pts, duration, size, sync: own & 0x1_0000 == 0, start: *next });
            *dts = dts.saturating_add(i64::from(duration));
            *next = next.saturating_add(u64::from(size));
        }
        Ok(made)
    });
    out.extend(made.unwrap_or_default());
}

/// Whether all samples lie in `mdat`; checks what belongs to encrypted samples. The second value says whether each sample
/// tells its subsamples.
fn data(
    traf: &Node<'_>,
    mdat: Option<&Node<'_>>,
    track: &Track,
    samples: &[Sample],
    real: u64,
    base: u64,
    context: &mut Context<'_>,
) -> (bool, bool) {
    let end = |s: &Sample| s.start.saturating_add(u64::from(s.size));
    let mut whole = true;
    if let Some(mdat) = mdat {
        let outside = samples.iter().position(|s| s.start < mdat.body_start() || end(s) > mdat.end());
        if let Some(n) = outside {
            let (start, end) = (samples[n].start, end(&samples[n]));
            let what = format!(
                "sample {n} lies at {start} to {end}, mdat at {} to {}",
                mdat.body_start(),
                mdat.end()
            );
            context.add(&rules::TRUN_BOUNDS, &traf.path, what);
            whole = false;
        }
    }
    let Some(protection) = &track.entry.protection else { return (whole, false) };
    let inside = children(&traf.path, traf.body, traf.body_start(), context);
    let sizes: Vec<u32> = samples.iter().map(|s| s.size).collect();
    // A range that was cut has no end to compare with.
    let has_subsamples = encryption::fragment(traf, &inside, protection, &sizes, base, context);
    (whole && samples.iter().all(|s| end(s) <= real), has_subsamples)
}

/// Which samples are random access points: by their NAL units where there are any, by their flags otherwise; and whether
/// pictures that are shown before the first one may depend on what went before.
fn pictures(
    traf: &Node<'_>,
    track: &Track,
    samples: &[Sample],
    all: &[u8],
    real: u64,
    readable: bool,
    context: &mut Context<'_>,
) -> (Vec<bool>, bool) {
    let Some(nal) = track.entry.nal.filter(|_| readable) else {
        return (samples.iter().map(|s| s.sync).collect(), false);
    };
    let mut open = false;
    let mut random = Vec::with_capacity(samples.len());
    for (n, sample) in samples.iter().enumerate() {
        let end = sample.start.saturating_add(u64::from(sample.size));
        let bytes = usize::try_from(sample.start)
            .ok()
            .zip(usize::try_from(end).ok())
            .filter(|_| end <= real)
            .and_then(|(start, end)| all.get(start..end));
        let Some(bytes) = bytes else {
            random.push(sample.sync);
            continue;
        };
        let Some(seen) = nal::read(bytes, nal) else {
            let what = format!("the NAL units of sample {n} do not fill its {} bytes", sample.size);
            context.add(&rules::NAL_LENGTHS, &traf.path, what);
            random.push(sample.sync);
            continue;
        };
        open |= n == 0 && seen.open;
        if sample.sync && seen.coded && !seen.random_access {
            context.add(
                &rules::SYNC_FLAGS,
                &traf.path,
                format!("sample {n} is flagged as sync, and has no IDR or IRAP picture"),
            );
        }
        if !sample.sync && seen.random_access {
            context.add(
                &rules::SYNC_UNFLAGGED,
                &traf.path,
                format!("sample {n} is an IDR or IRAP picture, not flagged as sync"),
            );
        }
        if seen.parameter_sets && !track.entry.inband {
            context.add(
                &rules::INBAND,
                &traf.path,
                format!("sample {n} of {} holds parameter sets", track.entry.codec),
            );
        }
        random.push(sample.sync && (seen.random_access || !seen.coded));
    }
    (random, open)
}

fn summary(
    sequence: u32,
    track: &Track,
    base: u64,
    samples: &[Sample],
    (random, open): (&[bool], bool),
) -> Fragment {
    let shown = |s: &Sample| s.pts.saturating_sub(track.shift);
    let start_dts = i64::try_from(base).unwrap_or(i64::MAX);
    let end_dts = samples.last().map_or(start_dts, |s| s.dts.saturating_add(i64::from(s.duration)));
    let start_pts = samples.iter().map(shown).min().unwrap_or(start_dts);
    let first_pts = samples.first().map_or(start_dts, shown);
    let video = &track.handler == b"vide";
    let sap = match random.first() {
        _ if !video => 1,
        Some(true) if start_pts >= first_pts => 1,
        // Leading pictures are shown before the first one: they decode in a closed GOP of H.264 only.
        Some(true) if open => 3,
        Some(true) => 2,
        _ => 0,
    };
    Fragment {
        sequence,
        track: track.id,
        start_dts,
        end_dts,
        start_pts,
        end_pts: samples
            .iter()
            .map(|s| shown(s).saturating_add(i64::from(s.duration)))
            .max()
            .unwrap_or(end_dts),
        samples: samples.len(),
        sync: random.iter().filter(|r| **r).count(),
        first_pts,
        shortest: samples.iter().map(|s| s.duration).filter(|d| *d > 0).min().unwrap_or(0),
        sap,
        present: 0,
    }
}

/// `sidx` against what follows it (ISO/IEC 14496-12 §8.16.3).
fn index(sidx: &Node<'_>, top: &[Node<'_>], header: &Header, segment: &Segment, context: &mut Context<'_>) {
    let Some(told) = Index::read(sidx, context) else { return };
    let sum: u64 = told.references.iter().map(|(size, _)| u64::from(*size)).sum();
    let first = sidx.end().saturating_add(told.first_offset);
    let end = top.last().map_or(first, Node::end);
    if first.saturating_add(sum) > end {
        let what = format!("it lists {sum} bytes from {first}, which end behind the segment's {end}");
        context.add(&rules::SIDX, &sidx.path, what);
    }
    let Some(track) = header.track(told.track).filter(|t| t.timescale > 0 && told.timescale == t.timescale)
    else {
        return;
    };
    if let Some((start, stop)) = segment.shown(track.id) {
        let earliest = i64::try_from(told.earliest).unwrap_or(i64::MAX).saturating_sub(track.shift);
        let lasts: i64 = told.references.iter().map(|(_, duration)| i64::from(*duration)).sum();
        let frame = segment.of(track.id).map(|f| i64::from(f.shortest)).max().unwrap_or(0);
        // Some writers count presentation times before, some after the edit list.
        let off = earliest.abs_diff(start).min(earliest.saturating_add(track.shift).abs_diff(start));
        if off > frame.unsigned_abs() || lasts.abs_diff(stop.saturating_sub(start)) > frame.unsigned_abs() * 2
        {
            let what = format!(
                "it tells {earliest} and {lasts} ticks, the media begins at {start} and lasts {}",
                stop.saturating_sub(start)
            );
            context.add(&rules::SIDX, &sidx.path, what);
        }
    }
}

/// A segment index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    pub track: u32,
    pub timescale: u32,
    pub earliest: u64,
    /// Bytes from the end of `sidx` to the first subsegment.
    pub first_offset: u64,
    /// Bytes and ticks of each.
    pub references: Vec<(u32, u32)>,
}

impl Index {
    pub fn read(sidx: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        context.fields(sidx, |f| {
            let (version, _) = f.version_and_flags()?;
            let (track, timescale) = (f.u32()?, f.u32()?);
            let mut wide = || if version == 0 { f.u32().map(u64::from) } else { f.u64() };
            let (earliest, first_offset) = (wide()?, wide()?);
            f.skip(2)?;
            let count = f.u16()?;
            let mut references = Vec::with_capacity(usize::from(count));
            for _ in 0..count {
                references.push((f.u32()? & 0x7fff_ffff, f.u32()?));
                f.skip(4)?;
            }
            Ok(Self { track, timescale, earliest, first_offset, references })
        })
    }
}

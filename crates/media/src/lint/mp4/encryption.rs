//! Common encryption: `sinf`, `tenc`, `senc`, `saiz`, `saio`, `pssh` (ISO/IEC 23001-7, ISO/IEC 14496-12 §8.7.8, §8.12).

use super::{
    boxes::{Context, Node, children},
    name,
};
use crate::lint::rules::cenc as rules;

/// What `schm` and `tenc` say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protection {
    pub scheme: [u8; 4],
    pub is_protected: bool,
    /// Bytes of the IV of each sample; 0 with a constant IV.
    pub iv_size: u8,
    pub key_id: [u8; 16],
}

/// Reads `sinf` of a protected sample entry: the format under it, and how it is protected.
pub fn sinf(
    entry: &Node<'_>,
    inside: &[Node<'_>],
    context: &mut Context<'_>,
) -> (Option<[u8; 4]>, Option<Protection>) {
    let Some(sinf) = inside.iter().find(|n| &n.kind == b"sinf") else {
        context.add(&rules::SINF, &entry.path, format!("`{}` has no sinf", name(entry.kind)));
        return (None, None);
    };
    let parts = children(&sinf.path, sinf.body, sinf.body_start(), context);
    let find = |kind: &[u8; 4]| parts.iter().find(|n| n.kind == *kind);
    let format = find(b"frma").and_then(|n| n.body.first_chunk::<4>().copied());
    let scheme = find(b"schm").and_then(|n| n.body.get(4..).and_then(|b| b.first_chunk::<4>().copied()));
    let schi = find(b"schi").map(|n| children(&n.path, n.body, n.body_start(), context)).unwrap_or_default();
    let tenc = schi.iter().find(|n| &n.kind == b"tenc");
    let missing = [("frma", format.is_none()), ("schm", scheme.is_none()), ("schi/tenc", tenc.is_none())];
    for (what, _) in missing.iter().filter(|(_, is)| *is) {
        context.add(&rules::SINF, &sinf.path, format!("there is no {what}"));
    }
    let (Some(scheme), Some(tenc)) = (scheme, tenc) else { return (format, None) };
    if !matches!(&scheme, b"cenc" | b"cbcs" | b"cens" | b"cbc1") {
        context.add(&rules::SCHEME, &sinf.path, format!("the scheme is `{}`", name(scheme)));
    }
    (format, track_encryption(tenc, scheme, context))
}

fn track_encryption(tenc: &Node<'_>, scheme: [u8; 4], context: &mut Context<'_>) -> Option<Protection> {
    let (version, pattern, protected, iv_size, key_id, constant) = context.fields(tenc, |f| {
        let (version, _) = f.version_and_flags()?;
        f.skip(1)?;
        let (pattern, protected, iv_size, key_id) = (f.u8()?, f.u8()?, f.u8()?, f.array::<16>()?);
        let constant = if protected == 1 && iv_size == 0 { f.u8()? } else { 0 };
        f.skip(usize::from(constant))?;
        Ok((version, pattern, protected, iv_size, key_id, constant))
    })?;
    let mut say = |what: String| context.add(&rules::TENC, &tenc.path, what);
    if !matches!(iv_size, 0 | 8 | 16) {
        say(format!("the IV of a sample has {iv_size} bytes"));
    }
    if protected == 1 && iv_size == 0 && !matches!(constant, 8 | 16) {
        say(format!("there is no IV for each sample, and the constant IV has {constant} bytes"));
    }
    if pattern != 0 && (version == 0 || !matches!(&scheme, b"cbcs" | b"cens")) {
        say(format!("a pattern stands in version {version} with the scheme `{}`", name(scheme)));
    }
    if protected == 1 && key_id == [0; 16] {
        say("the key ID is all zero".into());
    }
    Some(Protection { scheme, is_protected: protected == 1, iv_size, key_id })
}

/// `pssh` (§8.1).
pub fn pssh(node: &Node<'_>, context: &mut Context<'_>) {
    let rest = {
        let read = |f: &mut crate::bits::Fields<'_>| {
            let (version, _) = f.version_and_flags()?;
            f.skip(16)?;
            if version > 0 {
                let count = f.u32()?;
                f.skip((count as usize).saturating_mul(16))?;
            }
            let size = f.u32()?;
            f.skip(size as usize)?;
            Ok::<_, crate::Error>(f.rest().len())
        };
        read(&mut crate::bits::Fields::new("pssh", node.body))
    };
    match rest {
        Ok(0) => {}
        Ok(rest) => context.add(&rules::PSSH, &node.path, format!("{rest} bytes follow its data")),
        Err(error) => context.add(&rules::PSSH, &node.path, error.to_string()),
    }
}

/// One entry of `senc`: its size in bytes, and clear and protected bytes of its subsamples, if it tells any.
struct Entry {
    size: u64,
    subsamples: Option<u64>,
}

/// Checks `senc`, `saiz` and `saio` of a fragment. `sizes` are those of the samples; `base` is the place that `saio`
/// counts from. Tells whether every sample has subsamples.
pub fn fragment(
    traf: &Node<'_>,
    inside: &[Node<'_>],
    protection: &Protection,
    sizes: &[u32],
    base: u64,
    context: &mut Context<'_>,
) -> bool {
    let senc = inside.iter().find(|n| &n.kind == b"senc");
    let Some(senc) = senc else {
        let has_aux = inside.iter().any(|n| &n.kind == b"saiz");
        if protection.is_protected && protection.iv_size > 0 && !has_aux {
            context.add(&rules::SENC, &traf.path, "samples have IVs of their own, and there is no senc");
        }
        return false;
    };
    let Some(entries) = entries(senc, protection, sizes.len(), context) else { return false };
    if entries.len() != sizes.len() {
        let what = format!("it has {} entries for {} samples", entries.len(), sizes.len());
        context.add(&rules::SENC, &senc.path, what);
    }
    for (n, (entry, size)) in entries.iter().zip(sizes).enumerate() {
        if let Some(sum) = entry.subsamples.filter(|sum| *sum != u64::from(*size)) {
            let what = format!("the subsamples of sample {n} have {sum} bytes, the sample has {size}");
            context.add(&rules::SUBSAMPLES, &senc.path, what);
        }
    }
    auxiliary(traf, inside, senc, &entries, base, context);
    !entries.is_empty() && entries.iter().all(|e| e.subsamples.is_some())
}

/// `samples` bounds what is read of entries that have no bytes at all.
fn entries(
    senc: &Node<'_>,
    protection: &Protection,
    samples: usize,
    context: &mut Context<'_>,
) -> Option<Vec<Entry>> {
    let mut f = crate::bits::Fields::new("senc", senc.body);
    let mut read = || -> crate::Result<Vec<Entry>> {
        let (_, flags) = f.version_and_flags()?;
        let count = f.u32()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let mut size = u64::from(protection.iv_size);
            f.skip(usize::from(protection.iv_size))?;
            let mut subsamples = None;
            if flags & 2 != 0 {
                let count = f.u16()?;
                let mut sum = 0u64;
                for _ in 0..count {
                    sum += u64::from(f.u16()?);
                    sum += u64::from(f.u32()?);
                }
                size += 2 + 6 * u64::from(count);
                subsamples = Some(sum);
            }
            if size == 0 && entries.len() > samples {
                break;
            }
            entries.push(Entry { size, subsamples });
        }
        Ok(entries)
    };
    match read() {
        Ok(entries) => {
            if !f.rest().is_empty() && !entries.is_empty() {
                context.add(&rules::SENC, &senc.path, format!("{} bytes follow its entries", f.rest().len()));
            }
            Some(entries)
        }
        Err(error) => {
            context.add(&rules::SENC, &senc.path, error.to_string());
            None
        }
    }
}

/// `saiz` and `saio` point at the entries of `senc`.
fn auxiliary(
    traf: &Node<'_>,
    inside: &[Node<'_>],
    senc: &Node<'_>,
    entries: &[Entry],
    base: u64,
    context: &mut Context<'_>,
) {
    let (saiz, saio) =
        (inside.iter().find(|n| &n.kind == b"saiz"), inside.iter().find(|n| &n.kind == b"saio"));
    let (Some(saiz), Some(saio)) = (saiz, saio) else {
        if saiz.is_some() != saio.is_some() {
            context.add(&rules::SAIZ_SAIO, &traf.path, "one of saiz and saio is missing");
        }
        return;
    };
    let sizes = context.fields(saiz, |f| {
        let (_, flags) = f.version_and_flags()?;
        f.skip(if flags & 1 == 0 { 0 } else { 8 })?;
        let (default, count) = (f.u8()?, f.u32()?);
        let list = if default == 0 { f.take(count as usize)?.to_vec() } else { Vec::new() };
        Ok((default, count, list))
    });
    // With a constant IV and no subsamples there is nothing to point at.
    if entries.iter().all(|entry| entry.size == 0) {
        return;
    }
    if let Some((default, count, list)) = sizes {
        let wrong = entries.iter().enumerate().position(|(n, entry)| {
            let told = if default == 0 { list.get(n).copied().unwrap_or(0) } else { default };
            u64::from(told) != entry.size
        });
        if count as usize != entries.len() {
            let what = format!("saiz tells of {count} samples, senc of {}", entries.len());
            context.add(&rules::SAIZ_SAIO, &saiz.path, what);
        } else if let Some(n) = wrong {
            context.add(&rules::SAIZ_SAIO, &saiz.path, format!("the size of entry {n} is not that in senc"));
        }
    }
    let offset = context.fields(saio, |f| {
        let (version, flags) = f.version_and_flags()?;
        f.skip(if flags & 1 == 0 { 0 } else { 8 })?;
        let count = f.u32()?;
        let first = if version == 0 { u64::from(f.u32()?) } else { f.u64()? };
        Ok((count, first))
    });
    if let Some((count, first)) = offset {
        let wanted = senc.body_start() + 8;
        if count != 1 || base.saturating_add(first) != wanted {
            let what = format!(
                "saio has {count} offsets, the first leads to {}, senc's entries begin at {wanted}",
                base.saturating_add(first)
            );
            context.add(&rules::SAIZ_SAIO, &saio.path, what);
        }
    }
}

//! AC-3 and E-AC-3: the configuration boxes `dac3` and `dec3` (ETSI TS 102 366 annex F), and the sign of Dolby Atmos in
//! E-AC-3, joint object coding (ETSI TS 103 420 §8.3).

use bytes::Bytes;

use crate::{Error, Result, bits::Bits};

/// What `dac3` or `dec3` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub sample_rate: u32,
    /// Of the first programme, with low frequencies.
    pub channels: u8,
    /// Complexity index of joint object coding: how many objects there are. Not in AC-3.
    pub joc: Option<u8>,
    /// The body of the box; of `dec3` without what follows its substreams.
    body: Bytes,
}

const RATES: [u32; 3] = [48_000, 44_100, 32_000];

impl Config {
    /// From the body of `dac3` (§F.4).
    pub fn parse_dac3(dac3: &[u8]) -> Result<Self> {
        let mut b = Bits::new("dac3", dac3);
        let sample_rate = rate("dac3", b.bits(2)?)?;
        b.skip(8)?;
        let channels = channels(b.bits(3)?, b.flag()?);
        b.skip(10)?;
        Ok(Self { sample_rate, channels, joc: None, body: Bytes::copy_from_slice(&dac3[..3]) })
    }

    /// From the body of `dec3` (§F.6).
    pub fn parse_dec3(dec3: &[u8]) -> Result<Self> {
        let mut b = Bits::new("dec3", dec3);
        b.skip(13)?;
        let mut first = None;
        let mut size = 2;
        for _ in 0..=b.bits(3)? {
            let fscod = b.bits(2)?;
            b.skip(10)?;
            let mut count = channels(b.bits(3)?, b.flag()?);
            b.skip(3)?;
            if b.bits(4)? > 0 {
                let locations = b.bits(9)?;
                let pairs = [2, 2, 1, 1, 2, 2, 2, 1, 1];
                count += (0..9).filter(|n| locations & (1 << n) != 0).map(|n| pairs[n]).sum::<u8>();
                size += 4;
            } else {
                b.bit()?;
                size += 3;
            }
            first.get_or_insert((fscod, count));
        }
        let (fscod, channels) = first.ok_or(Error::Truncated("dec3"))?;
        let sample_rate = rate("dec3", fscod)?;
        let (body, extension) = dec3.split_at_checked(size).ok_or(Error::Truncated("dec3"))?;
        let joc = if let [flags, complexity, ..] = extension { joc(*flags, *complexity) } else { None };
        Ok(Self { sample_rate, channels, joc, body: Bytes::copy_from_slice(body) })
    }

    /// Body of the box.
    pub fn to_box(&self) -> Vec<u8> {
        let mut out = self.body.to_vec();
        if let Some(complexity) = self.joc {
            out.extend([1, complexity]);
        }
        out
    }
}

/// Body of the `dac3` that an AC-3 frame needs (§4.3.1, §4.3.2, §F.4).
pub fn dac3_of_frame(frame: &[u8]) -> Result<[u8; 3]> {
    let mut b = Bits::new("AC-3 frame", frame);
    if b.bits(16)? != 0x0b77 {
        return Err(Error::Invalid("AC-3 frame", "no sync word"));
    }
    b.skip(16)?;
    let (fscod, size) = (b.bits(2)?, b.bits(6)?);
    let (stream, service, mode) = (b.bits(5)?, b.bits(3)?, b.bits(3)?);
    if size > 37 || stream > 10 {
        return Err(Error::Invalid("AC-3 frame", "no such size or stream"));
    }
    let levels = [mode & 1 == 1 && mode != 1, mode & 4 != 0, mode == 2];
    b.skip(2 * levels.iter().filter(|there| **there).count())?;
    let low_frequencies = b.bit()?;
    let fields =
        [(fscod, 2), (stream, 5), (service, 3), (mode, 3), (low_frequencies, 1), (size >> 1, 5), (0, 5)];
    let [_, body @ ..] = fields.iter().fold(0u32, |sum, (value, bits)| sum << bits | value).to_be_bytes();
    Ok(body)
}

fn joc(flags: u8, complexity: u8) -> Option<u8> {
    (flags & 1 == 1 && complexity > 0).then_some(complexity)
}

fn rate(what: &'static str, fscod: u32) -> Result<u32> {
    RATES.get(fscod as usize).copied().ok_or(Error::Invalid(what, "reserved sample rate"))
}

/// Table 4.3.
fn channels(acmod: u32, low_frequencies: bool) -> u8 {
    [2, 1, 2, 3, 3, 4, 4, 5][acmod as usize & 7] + u8::from(low_frequencies)
}

/// The complexity index of joint object coding that an E-AC-3 frame tells in its additional bit stream information
/// (ETSI TS 102 366 §E.1.2.2); writers of `dec3` that do not know Atmos leave it out there.
pub fn joc_of_frame(frame: &[u8]) -> Result<Option<u8>> {
    let mut b = Bits::new("E-AC-3 frame", frame);
    if b.bits(16)? != 0x0b77 {
        return Err(Error::Invalid("E-AC-3 frame", "no sync word"));
    }
    let stream = b.bits(2)?;
    b.skip(14)?;
    let reduced_rate = b.bits(2)? == 3;
    let blocks = match b.bits(2)? {
        _ if reduced_rate => 6,
        code => [1, 2, 3, 6][code as usize & 3],
    };
    let (mode, low_frequencies) = (b.bits(3)?, b.flag()?);
    if !(11..=16).contains(&b.bits(5)?) {
        return Ok(None);
    }
    let programmes = if mode == 0 { 2 } else { 1 };
    for _ in 0..programmes {
        b.skip(5)?;
        optional(&mut b, 8)?;
    }
    if stream == 1 {
        optional(&mut b, 16)?;
    }
    if b.flag()? {
        skip_mixing(&mut b, (stream, mode, low_frequencies, blocks))?;
    }
    if b.flag()? {
        b.skip(5)?;
        b.skip(match mode {
            2 => 4,
            6 | 7 => 2,
            _ => 0,
        })?;
        for _ in 0..programmes {
            optional(&mut b, 8)?;
        }
        b.skip(usize::from(!reduced_rate))?;
    }
    if stream == 0 && blocks != 6 {
        b.bit()?;
    }
    if stream == 2 && (blocks == 6 || b.flag()?) {
        b.skip(6)?;
    }
    if !b.flag()? || b.bits(6)? == 0 {
        return Ok(None);
    }
    Ok(joc(b.bits(8)? as u8, b.bits(8)? as u8))
}

/// A flag, and bits that are there if it is set.
fn optional(b: &mut Bits, bits: usize) -> Result<()> {
    if b.flag()? { b.skip(bits) } else { Ok(()) }
}

fn skip_mixing(b: &mut Bits, (stream, mode, low_frequencies, blocks): (u32, u32, bool, u32)) -> Result<()> {
    b.skip(if mode > 2 { 2 } else { 0 })?;
    b.skip(if mode > 2 && mode & 1 == 1 { 6 } else { 0 })?;
    b.skip(if mode & 4 != 0 { 6 } else { 0 })?;
    if low_frequencies {
        optional(b, 5)?;
    }
    if stream != 0 {
        return Ok(());
    }
    optional(b, 6)?;
    if mode == 0 {
        optional(b, 6)?;
    }
    optional(b, 6)?;
    match b.bits(2)? {
        1 => b.skip(5)?,
        2 => b.skip(12)?,
        3 => {
            let length = b.bits(5)? as usize;
            b.skip(8 * (length + 2))?;
        }
        _ => {}
    }
    for _ in 0..2u32.saturating_sub(mode) {
        optional(b, 14)?;
    }
    if b.flag()? {
        if blocks == 1 {
            b.skip(5)?;
        } else {
            (0..blocks).try_for_each(|_| optional(b, 5))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_tell_channels() {
        let ac3 = Config::parse_dac3(&[0x10, 0x3d, 0x40]).unwrap();
        assert_eq!((ac3.sample_rate, ac3.channels, ac3.to_box()), (48_000, 6, vec![0x10, 0x3d, 0x40]));
        let plain = [0x0c, 0x00, 0x20, 0x0f, 0x00];
        let ec3 = Config::parse_dec3(&plain).unwrap();
        assert_eq!((ec3.sample_rate, ec3.channels, ec3.joc), (48_000, 6, None));
        assert_eq!(ec3.to_box(), plain);
        // Atmos, and a dependent substream with a pair of rear channels.
        let atmos = Config::parse_dec3(&[&plain[..], &[1, 16]].concat()).unwrap();
        assert_eq!((atmos.joc, atmos.to_box().len()), (Some(16), 7));
        let seven = Config::parse_dec3(&[0x0c, 0x00, 0x20, 0x0f, 0x02, 0x02]).unwrap();
        assert_eq!(seven.channels, 8);
        for n in 0..5 {
            assert!(Config::parse_dec3(&plain[..n]).is_err(), "{n}");
        }
        assert!(Config::parse_dac3(&[0xd0, 0x3d, 0x40]).is_err());
    }

    /// Fields of a frame: value and number of bits.
    fn frame(fields: &[(u32, usize)]) -> Vec<u8> {
        let bits: Vec<u8> =
            fields.iter().flat_map(|(v, n)| (0..*n).rev().map(move |k| (v >> k) as u8 & 1)).collect();
        bits.chunks(8).map(|c| c.iter().enumerate().fold(0, |byte, (n, bit)| byte | bit << (7 - n))).collect()
    }

    #[test]
    fn frames_tell_atmos() {
        // Independent, 48 kHz, six blocks, 5.1, bsid 16.
        let start = [
            (0x0b77, 16),
            (0, 2),
            (0, 3),
            (767, 11),
            (0, 2),
            (3, 2),
            (7, 3),
            (1, 1),
            (16, 5),
            (27, 5),
            (0, 1),
        ];
        let plain = [&start[..], &[(0, 3), (0, 32)]].concat();
        assert_eq!(joc_of_frame(&frame(&plain)), Ok(None));
        let addition = [(1, 1), (1, 6), (1, 8), (16, 8), (0, 16)];
        let atmos = [&start[..], &[(0, 2)], &addition].concat();
        assert_eq!(joc_of_frame(&frame(&atmos)), Ok(Some(16)));
        // With mixing and informational metadata.
        let mixing = [(1, 1), (1, 2), (0, 12), (0, 1), (0, 2), (0, 2), (0, 1)];
        let information = [(1, 1), (0, 5), (0, 2), (0, 1), (0, 1)];
        let atmos = [&start[..], &mixing, &information, &addition].concat();
        assert_eq!(joc_of_frame(&frame(&atmos)), Ok(Some(16)));
        let bytes = frame(&atmos);
        assert!((0..9).all(|n| joc_of_frame(&bytes[..n]).is_err()));
        assert!(joc_of_frame(&[0; 40]).is_err());
    }
}

//! NAL units of a sample (ISO/IEC 14496-15 §5.3.3): lengths, kinds of pictures, parameter sets.

use super::entry::Nal;

/// What the NAL units of a sample show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Picture {
    /// Decoding can begin here: IDR in H.264, IRAP in H.265.
    pub random_access: bool,
    /// Pictures that are shown before it may depend on what went before (CRA, BLA with leading pictures).
    pub open: bool,
    /// Has a coded slice at all.
    pub coded: bool,
    pub parameter_sets: bool,
}

/// `None` when lengths do not fill the sample exactly.
pub fn read(sample: &[u8], nal: Nal) -> Option<Picture> {
    let length_size = match nal {
        Nal::Avc(n) | Nal::Hevc(n) => usize::from(n),
    };
    let mut picture = Picture::default();
    let mut rest = sample;
    while !rest.is_empty() {
        let (length, after) = rest.split_at_checked(length_size)?;
        let length = length.iter().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
        let (unit, after) = after.split_at_checked(length)?;
        if let Some(first) = unit.first() {
            match nal {
                Nal::Avc(_) => match first & 31 {
                    1..=4 => picture.coded = true,
                    5 => (picture.coded, picture.random_access) = (true, true),
                    7 | 8 => picture.parameter_sets = true,
                    _ => {}
                },
                Nal::Hevc(_) => match (first >> 1) & 63 {
                    kind @ 16..=23 => {
                        (picture.coded, picture.random_access) = (true, true);
                        picture.open |= matches!(kind, 16 | 21);
                    }
                    0..=31 => picture.coded = true,
                    32..=34 => picture.parameter_sets = true,
                    _ => {}
                },
            }
        }
        rest = after;
    }
    Some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_must_fill_the_sample() {
        let idr = [0, 0, 0, 2, 0x65, 1, 0, 0, 0, 1, 0x06];
        let seen = read(&idr, Nal::Avc(4)).unwrap();
        assert!(seen.random_access && seen.coded && !seen.parameter_sets);
        assert_eq!(read(&idr[..10], Nal::Avc(4)), None);
        assert_eq!(read(&[0, 0, 1, 0x65], Nal::Avc(4)), None);
        let idr = read(&[0, 3, 0x26, 1, 9], Nal::Hevc(2)).unwrap();
        assert!(idr.random_access && !idr.open);
        assert!(read(&[0, 3, 0x2a, 1, 9], Nal::Hevc(2)).unwrap().open);
    }
}

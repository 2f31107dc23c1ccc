//! Sections of tables (ISO/IEC 13818-1 §2.4.4): put together from packets, checked by their CRC.

/// Bytes before the length is known, and most bytes in all (§2.4.4.3, §2.4.4.8).
const HEADER: usize = 3;
const LONGEST: usize = 1024;
/// No more sections in this packet.
const STUFFING: u8 = 0xff;

/// Puts the sections of one PID together.
#[derive(Debug, Default)]
pub struct Sections {
    held: Vec<u8>,
    /// A section has begun.
    open: bool,
}

impl Sections {
    /// Takes a packet's payload and gives the sections that end in it, without their CRC.
    pub fn push(&mut self, start: bool, payload: &[u8]) -> Vec<Vec<u8>> {
        let mut whole = Vec::new();
        if !start {
            if self.open {
                self.add(payload, &mut whole);
            }
            return whole;
        }
        let Some((pointer, rest)) = payload.split_first() else { return whole };
        let Some((end, next)) = rest.split_at_checked(usize::from(*pointer)) else { return whole };
        if self.open {
            self.add(end, &mut whole);
        }
        self.held.clear();
        self.open = true;
        self.add(next, &mut whole);
        whole
    }

    fn add(&mut self, bytes: &[u8], whole: &mut Vec<Vec<u8>>) {
        self.held.extend_from_slice(bytes);
        loop {
            if matches!(self.held.first(), Some(&STUFFING)) {
                self.close();
            }
            let Some([_, high, low]) = self.held.first_chunk::<HEADER>() else { return };
            let length = HEADER + (usize::from(high & 15) << 8 | usize::from(*low));
            if length > LONGEST {
                self.close();
            }
            if self.held.len() < length {
                return;
            }
            let section = self.held.drain(..length).collect::<Vec<u8>>();
            if let Some((body, sum)) = section.split_last_chunk::<4>()
                && crc(body) == u32::from_be_bytes(*sum)
            {
                whole.push(body.to_vec());
            }
        }
    }

    fn close(&mut self) {
        self.held.clear();
        self.open = false;
    }
}

/// The CRC of annex A.
pub fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
            if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(body: &[u8]) -> Vec<u8> {
        let length = (body.len() + 4) as u16;
        let mut out = [&[0, 0xb0 | (length >> 8) as u8, length as u8], body].concat();
        out.extend(crc(&out).to_be_bytes());
        out
    }

    #[test]
    fn the_sum_is_the_standards() {
        assert_eq!(crc(b"123456789"), 0x0376_e6e7);
    }

    #[test]
    fn sections_are_put_together() {
        let (one, two) = (section(&[1; 200]), section(&[2; 9]));
        let mut sections = Sections::default();
        assert!(sections.push(false, &one).is_empty(), "no beginning");
        assert!(sections.push(true, &[&[0], &one[..100]].concat()).is_empty());
        let rest = [&[107][..], &one[100..], &two, &[STUFFING; 40]].concat();
        let whole = sections.push(true, &rest);
        assert_eq!(whole, [&one[..203], &two[..12]], "the end of one, then the other");
        assert!(sections.push(false, &two).is_empty(), "after stuffing comes nothing");
        let mut damaged = two.clone();
        damaged[5] ^= 1;
        assert!(sections.push(true, &[&[0], &damaged[..]].concat()).is_empty());
        assert!(sections.push(true, &[0, 0, 0xbf, 0xff]).is_empty() && sections.held.is_empty(), "too long");
        assert!(sections.push(true, &[200, 1]).is_empty() && sections.push(true, &[]).is_empty());
    }
}

//! Transport packets (ISO/IEC 13818-1 §2.4.3).

/// Bytes of a packet.
pub const SIZE: usize = 188;
pub const SYNC: u8 = 0x47;

/// What the header and the adaptation field of a packet say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    pub pid: u16,
    /// A section or a PES packet begins in it.
    pub start: bool,
    pub scrambled: bool,
    pub counter: u8,
    /// The counter need not follow the last one.
    pub discontinuity: bool,
    /// It tells the program's clock.
    pub clock: bool,
    pub payload: Option<&'a [u8]>,
}

impl<'a> Packet<'a> {
    /// `None` when it was damaged on the way, or is none.
    pub fn parse(bytes: &'a [u8; SIZE]) -> Option<Self> {
        let [sync, first, second, flags, rest @ ..] = bytes;
        let damaged = first & 0x80 != 0;
        if *sync != SYNC || damaged {
            return None;
        }
        let (adaptation, payload) = match flags >> 4 & 3 {
            1 => (&[][..], Some(&rest[..])),
            2 | 3 => {
                let (length, rest) = rest.split_first()?;
                let (adaptation, rest) = rest.split_at_checked(usize::from(*length))?;
                (adaptation, (flags & 0x10 != 0).then_some(rest))
            }
            _ => return None,
        };
        let told = adaptation.first().copied().unwrap_or(0);
        Some(Self {
            pid: u16::from(first & 0x1f) << 8 | u16::from(*second),
            start: first & 0x40 != 0,
            scrambled: flags & 0xc0 != 0,
            counter: flags & 15,
            discontinuity: told & 0x80 != 0,
            clock: told & 0x10 != 0,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(header: &[u8]) -> [u8; SIZE] {
        let mut bytes = [7; SIZE];
        bytes[..header.len()].copy_from_slice(header);
        bytes
    }

    #[test]
    fn headers_are_read() {
        let bytes = packet(&[0x47, 0x41, 0x02, 0x35, 3, 0x90, 0, 0]);
        let read = Packet::parse(&bytes).unwrap();
        assert_eq!((read.pid, read.start, read.scrambled, read.counter), (0x102, true, false, 5));
        assert_eq!((read.discontinuity, read.clock, read.payload.map(<[u8]>::len)), (true, true, Some(180)));
        let empty = packet(&[0x47, 0, 0, 0x25, 183]);
        assert_eq!(Packet::parse(&empty).unwrap().payload, None);
    }

    #[test]
    fn what_is_none_is_not_read() {
        for header in
            [&[0x46, 0, 0, 0x10][..], &[0x47, 0x80, 0, 0x10], &[0x47, 0, 0, 0], &[0x47, 0, 0, 0x30, 184]]
        {
            assert_eq!(Packet::parse(&packet(header)), None, "{header:?}");
        }
    }
}

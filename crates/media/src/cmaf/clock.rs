//! When what a chunk holds happened, by the clock of who made it: `prft` (ISO/IEC 14496-12 §8.16.5).

use super::{
    TRACK_ID,
    boxes::{Put, write_full},
};

/// Seconds from the beginning of 1900, where NTP counts from, to that of 1970.
const NTP_EPOCH: i64 = 2_208_988_800;
/// The time at which the encoder was given it.
const ENCODER_INPUT: u32 = 0;

/// The box that stands before a chunk: its media time `start`, in ticks of its track, was `at`, microseconds since the Unix epoch.
pub fn producer_reference_time(start: u64, at: i64) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    write_full(&mut out, b"prft", 1, ENCODER_INPUT, |out| {
        out.u32(TRACK_ID);
        out.u64(ntp(at));
        out.u64(start);
    });
    out
}

/// Seconds since 1900 in the upper half, their fraction in the lower (RFC 5905 §6).
fn ntp(at: i64) -> u64 {
    let seconds = at.div_euclid(1_000_000) + NTP_EPOCH;
    let fraction = (at.rem_euclid(1_000_000).cast_unsigned() << 32) / 1_000_000;
    (seconds.cast_unsigned() << 32) | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_reading_is_the_one_of_the_standard() {
        let written = producer_reference_time(90_000, 1_767_225_600_500_000);
        let mut expected = b"\0\0\0\x20prft\x01\0\0\0\0\0\0\x01".to_vec();
        expected.extend(3_976_214_400u32.to_be_bytes());
        expected.extend(0x8000_0000u32.to_be_bytes());
        expected.extend(90_000u64.to_be_bytes());
        assert_eq!(written, expected);
    }
}

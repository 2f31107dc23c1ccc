//! The packet index of a stream: when each coded picture is shown, and which ones decode on their own.

/// One packet, in file order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Presentation time in ticks of the stream's time base.
    pub pts: Option<i64>,
    pub dts: Option<i64>,
    pub duration: u32,
    pub key: bool,
    /// Needed for decoding others, but never shown (cut away by an edit list).
    pub hidden: bool,
    /// Where it lies in the file, and how long it is: bytes.
    pub place: Option<(u64, u32)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    pub packets: Vec<Packet>,
}

impl Index {
    /// Presentation times of all pictures that can be shown, growing: hidden ones and those before the first key
    /// frame are left out.
    pub fn shown(&self) -> Vec<i64> {
        let first_key = self.packets.iter().find(|p| p.key).and_then(|p| p.pts).unwrap_or(i64::MIN);
        let mut times: Vec<i64> = self
            .packets
            .iter()
            .filter(|p| !p.hidden)
            .filter_map(|p| p.pts)
            .filter(|t| *t >= first_key)
            .collect();
        times.sort_unstable();
        times
    }

    /// Presentation times of the key frames, growing.
    pub fn keys(&self) -> Vec<i64> {
        let mut keys: Vec<i64> = self.packets.iter().filter(|p| p.key).filter_map(|p| p.pts).collect();
        keys.sort_unstable();
        keys
    }

    /// Does every packet have its own presentation time, so that pictures can be planned one by one?
    pub fn is_exact(&self) -> bool {
        let shown = self.shown();
        !shown.is_empty()
            && self.packets.iter().all(|p| p.pts.is_some())
            && shown.windows(2).all(|w| w[0] < w[1])
            && self.packets.iter().any(|p| p.key)
    }

    /// From the first shown time to the end of the last packet, in ticks.
    pub fn duration(&self) -> Option<i64> {
        let (start, end) = self.span()?;
        end.checked_sub(start).filter(|ticks| *ticks > 0)
    }

    /// First shown time and end of the last packet, by whatever times there are.
    pub fn span(&self) -> Option<(i64, i64)> {
        let times =
            || self.packets.iter().filter(|p| !p.hidden).filter_map(|p| Some((p.pts.or(p.dts)?, p.duration)));
        let start = times().map(|(t, _)| t).min()?;
        let start = self.shown().first().copied().filter(|_| self.is_exact()).unwrap_or(start);
        let (last, told) = times().max_by_key(|(t, _)| *t)?;
        Some((start, last.checked_add(i64::from(self.usual_duration(told)))?))
    }

    /// Forgets what cannot be shown at the end of a file that was cut off: its last packet, of which a part is missing, and
    /// what is shown after a picture that would have come later.
    pub fn drop_torn_end(&mut self) {
        if self.packets.len() < 2 {
            return;
        }
        self.packets.pop();
        let (Some(step), shown) = (self.usual_step(), self.shown()) else { return };
        // Pictures are reordered by 16 at most (ISO/IEC 14496-10 §A.3.1).
        let tail = shown.len().saturating_sub(17);
        let torn = shown[tail..].windows(2).find(|w| w[1].saturating_sub(w[0]) > step + step / 2);
        if let Some([last, _]) = torn {
            let last = *last;
            self.packets.retain(|packet| packet.pts.is_none_or(|pts| pts <= last));
        }
    }

    /// The clock of a stream that jumps, as broadcasts and joined recordings do: ticks that all packets last together when
    /// the jumps are closed. `None` when it runs on evenly. `second` is a second in ticks.
    pub fn closed_up(&self, second: i64) -> Option<i64> {
        let mut times = self.packets.iter().filter_map(|p| Some((p.dts.or(p.pts)?, i64::from(p.duration))));
        let (mut last, mut lasts) = times.next()?;
        let (mut sum, mut jumps) = (0_i64, false);
        for (time, duration) in times {
            let step = time.checked_sub(last)?;
            // What ffmpeg takes for a jump.
            if step > second.saturating_mul(10) || step < -second / 10 {
                jumps = true;
                sum = sum.checked_add(lasts)?;
            } else {
                sum = sum.checked_add(step)?;
            }
            (last, lasts) = (time, if duration > 0 { duration } else { lasts });
        }
        jumps.then(|| sum.saturating_add(lasts)).filter(|sum| *sum > 0)
    }

    /// The distance of most pictures, in ticks.
    pub fn usual_step(&self) -> Option<i64> {
        let shown = self.shown();
        let mut steps: Vec<i64> =
            shown.windows(2).filter_map(|w| w[1].checked_sub(w[0])).filter(|step| *step > 0).collect();
        let middle = steps.len() / 2;
        (!steps.is_empty()).then(|| *steps.select_nth_unstable(middle).1)
    }

    /// The longest time between two pictures, in ticks.
    pub fn longest_step(&self) -> i64 {
        self.shown().windows(2).map(|w| w[1].saturating_sub(w[0])).max().unwrap_or(0)
    }

    /// A last packet without a duration lasts as long as the packets do on average.
    fn usual_duration(&self, told: u32) -> u32 {
        if told > 0 {
            return told;
        }
        let mut times: Vec<i64> = self.packets.iter().filter_map(|p| p.pts.or(p.dts)).collect();
        times.sort_unstable();
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return 0 };
        let gaps = (times.len() as i64 - 1).max(1);
        u32::try_from(last.saturating_sub(*first) / gaps).unwrap_or(0)
    }
}

/// A line of ffprobe's: `pts|dts|duration|size|pos|flags`, each but the last possibly `N/A`.
pub fn packet(line: &str) -> Option<Packet> {
    let mut fields = line.split('|');
    let mut number = || fields.next().map(|field| field.parse::<i64>().ok());
    let (pts, dts, duration) = (number()?, number()?, number()?);
    let (size, at) = (number()?, number()?);
    let flags = fields.next()?;
    // Half of the range is plenty, and sums and differences stay in range.
    let sane = |t: Option<i64>| t.filter(|t| t.unsigned_abs() < 1 << 60);
    Some(Packet {
        pts: sane(pts),
        dts: sane(dts),
        duration: duration.and_then(|d| u32::try_from(d).ok()).unwrap_or(0),
        key: flags.starts_with('K'),
        hidden: flags.contains('D'),
        place: at.and_then(|at| u64::try_from(at).ok()).zip(size.and_then(|size| u32::try_from(size).ok())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(text: &str) -> Index {
        Index { packets: text.lines().filter_map(packet).collect() }
    }

    #[test]
    fn lines_become_packets() {
        let index = index(
            "0|-2002|1001|10|N/A|K_\n3003|-1001|1001|10|N/A|__\n1001|0|1001|10|N/A|__\n2002|1001|1001|10|N/A|__\n\ngarbage\n",
        );
        assert_eq!(index.shown(), [0, 1001, 2002, 3003]);
        assert_eq!((index.duration(), index.is_exact(), index.keys()), (Some(4004), true, vec![0]));
    }

    #[test]
    fn hidden_and_undecodable_pictures_are_not_shown() {
        let hidden = index("-10|N/A|10|10|N/A|KD\n0|N/A|10|10|N/A|__\n10|N/A|10|10|N/A|__");
        assert_eq!(hidden.shown(), [0, 10]);
        let headless = index(
            "0|0|10|10|N/A|__\n10|10|10|10|N/A|__\n20|20|10|10|N/A|K_\n15|30|5|10|N/A|__\n30|40|10|10|N/A|__",
        );
        assert_eq!(headless.shown(), [20, 30]);
        assert_eq!(headless.duration(), Some(20));
    }

    #[test]
    fn a_torn_end_is_forgotten() {
        let mut torn = index(
            "0|0|10|10|N/A|K_\n30|10|10|10|N/A|__\n10|20|10|10|N/A|__\n20|30|10|10|N/A|__\n60|40|10|10|N/A|__\n40|50|10|10|N/A|__",
        );
        torn.drop_torn_end();
        assert_eq!(torn.shown(), [0, 10, 20, 30]);
        let mut one = index("0|0|10|10|N/A|K_");
        one.drop_torn_end();
        assert_eq!(one.packets.len(), 1);
    }

    #[test]
    fn jumps_of_the_clock_are_closed() {
        assert_eq!(index("0|0|10|10|N/A|K_\n10|10|10|10|N/A|__\n20|20|10|10|N/A|__").closed_up(100), None);
        assert_eq!(
            index("0|0|10|10|N/A|K_\n10|10|10|10|N/A|__\n0|0|10|10|N/A|K_\n10|10|10|10|N/A|__").closed_up(50),
            Some(40)
        );
        assert_eq!(
            index("0|0|10|10|N/A|K_\n10|10|10|10|N/A|__\n90000|90000|10|10|N/A|K_\n90010|90010|10|10|N/A|__")
                .closed_up(100),
            Some(40)
        );
        assert_eq!(
            index("0|0|10|10|N/A|K_\n10|10|10|10|N/A|__\n900|900|10|10|N/A|K_").closed_up(100),
            None,
            "a pause"
        );
    }

    #[test]
    fn doubtful_times_are_noticed() {
        assert!(!index("0|0|10|10|N/A|K_\n0|1|10|10|N/A|__").is_exact());
        assert!(!index("0|0|10|10|N/A|K_\nN/A|1|10|10|N/A|__").is_exact());
        assert!(!index("0|0|10|10|N/A|__").shown().is_empty());
        assert_eq!(index("").duration(), None);
    }
}

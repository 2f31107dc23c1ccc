//! The packet index of a stream: when each coded picture is shown, and which ones decode on their own.

use std::path::Path;

use tokio::io::{AsyncBufReadExt, BufReader};

use super::{Error, Refusal, Result, ffprobe, refused};
use crate::{guest::sniff::Container, tools::Tools};

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

/// Reads all packets of `stream`, without decoding any.
pub(super) async fn read(
    tools: &Tools,
    container: Container,
    input: &Path,
    stream: u32,
    most: usize,
) -> Result<Index> {
    let guest = ffprobe(tools, container, input)
        .args(["-select_streams".to_owned(), stream.to_string()])
        .args(["-show_entries", "packet=pts,dts,duration,flags", "-print_format", "compact=p=0:nk=1"])
        .args([input]);
    let (running, stdout) = guest.spawn().await?;
    let lines = async {
        let mut index = Index::default();
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some(packet) = packet(&line) {
                if index.packets.len() == most {
                    return Err(Error::Refused(Refusal::TooManyPictures(most)));
                }
                index.packets.push(packet);
            }
        }
        Ok(index)
    };
    running.finish_with(lines).await.map_err(|error| match error {
        Error::Guest(error) => refused(error),
        other => other,
    })
}

/// `pts|dts|duration|flags`, each of the first three possibly `N/A`.
fn packet(line: &str) -> Option<Packet> {
    let mut fields = line.split('|');
    let mut number = || fields.next().map(|field| field.parse::<i64>().ok());
    let (pts, dts, duration) = (number()?, number()?, number()?);
    let flags = fields.next()?;
    // Half of the range is plenty, and sums and differences stay in range.
    let sane = |t: Option<i64>| t.filter(|t| t.unsigned_abs() < 1 << 60);
    Some(Packet {
        pts: sane(pts),
        dts: sane(dts),
        duration: duration.and_then(|d| u32::try_from(d).ok()).unwrap_or(0),
        key: flags.starts_with('K'),
        hidden: flags.contains('D'),
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
        let index =
            index("0|-2002|1001|K_\n3003|-1001|1001|__\n1001|0|1001|__\n2002|1001|1001|__\n\ngarbage\n");
        assert_eq!(index.shown(), [0, 1001, 2002, 3003]);
        assert_eq!((index.duration(), index.is_exact(), index.keys()), (Some(4004), true, vec![0]));
    }

    #[test]
    fn hidden_and_undecodable_pictures_are_not_shown() {
        let hidden = index("-10|N/A|10|KD\n0|N/A|10|__\n10|N/A|10|__");
        assert_eq!(hidden.shown(), [0, 10]);
        let headless = index("0|0|10|__\n10|10|10|__\n20|20|10|K_\n15|30|5|__\n30|40|10|__");
        assert_eq!(headless.shown(), [20, 30]);
        assert_eq!(headless.duration(), Some(20));
    }

    #[test]
    fn doubtful_times_are_noticed() {
        assert!(!index("0|0|10|K_\n0|1|10|__").is_exact());
        assert!(!index("0|0|10|K_\nN/A|1|10|__").is_exact());
        assert!(!index("0|0|10|__").shown().is_empty());
        assert_eq!(index("").duration(), None);
    }
}

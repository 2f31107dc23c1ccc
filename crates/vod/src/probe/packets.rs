//! Reading the packet index of a stream with a caged ffprobe.

use std::path::Path;

use tokio::io::{AsyncBufReadExt, BufReader};

use super::{Error, Index, Refusal, Result, ffprobe, index::packet, refused};
use crate::{guest::sniff::Container, tools::Tools};

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
        .args([
            "-show_entries",
            "packet=pts,dts,duration,size,pos,flags",
            "-print_format",
            "compact=p=0:nk=1",
        ])
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

//! Why a file is not made into a title.

/// Why a file is not made into a title, in words for its creator: what is wrong, and what to do. A retry never helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "This is not a video or audio file that Kinora can read. Upload the film itself: MP4, MOV, MKV, WebM, AVI, MPEG, WMV, \
         FLV, MXF, Ogg, WAV, FLAC, MP3 and AAC are understood."
    )]
    NotMedia,
    #[error("This is a playlist: it only names other files. Upload the film that it leads to.")]
    Playlist,
    #[error(
        "The file is incomplete: the part that says where its pictures lie is missing. It may have been cut off while it was \
         recorded or copied; upload the original again."
    )]
    Truncated,
    /// With a decoder's complaint, for operators.
    #[error("The file is damaged and cannot be read. Copy or export it once more and upload that.")]
    Damaged(String),
    #[error("There is neither a picture nor sound in this file. Upload one that has at least one of them.")]
    NoStreams,
    #[error("The file is encrypted (it carries copy protection). Upload one without.")]
    Encrypted,
    #[error(
        "Kinora cannot decode what is in this file. Export it as H.264 with AAC, for example, and upload that."
    )]
    Undecodable(String),
    #[error(
        "It plays for {hours} hours; at most {most} are accepted. Upload it in parts, or mend its time stamps if that is wrong."
    )]
    TooLong { hours: u64, most: u64 },
    #[error(
        "Its picture of {width} × {height} is larger than what is accepted. Export it smaller and upload that."
    )]
    TooLargePicture { width: u32, height: u32 },
    #[error("It has more than {0} pictures. Upload it in parts.")]
    TooManyPictures(usize),
    #[error(
        "There is nothing to show in this file: it announces pictures or sound, but holds none that can be decoded. If they \
         lie in another file, export both as one; else upload the original again."
    )]
    Empty,
}

impl Refusal {
    /// What operators are told beside the words.
    pub fn detail(&self) -> &str {
        match self {
            Self::Damaged(words) | Self::Undecodable(words) => words,
            _ => "refused",
        }
    }
}

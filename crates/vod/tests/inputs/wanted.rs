//! What must come of a row.

/// The outcome that a row asks for.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// A title.
    Title(Title),
    /// A failure whose words begin so.
    Refused(&'static str),
}

/// What is asked of a title. Every track must decode without a complaint and start with the others, whatever else.
#[derive(Debug, Clone)]
pub struct Title {
    /// Pictures on every rung, with a tolerance; `None`: there is no picture.
    pub frames: Option<(usize, usize)>,
    /// No two pictures are equal: each of the source's is there once.
    pub distinct: bool,
    pub seconds: f64,
    /// Tolerance of the duration.
    pub within: f64,
    /// As shown.
    pub size: Option<(i64, i64)>,
    /// Language and channels of each audio track.
    pub audio: Vec<(Option<&'static str>, u32)>,
    /// What the creator is told beside, in part.
    pub notice: Option<&'static str>,
    /// Seconds at which the picture turns white and the tone begins.
    pub signal: Option<f64>,
    /// The quarter of the picture that is white: 0 top left, 1 top right, 2 bottom left, 3 bottom right.
    pub bright: Option<usize>,
    /// Most bytes that the work and its results may take at any time, the source not counted.
    pub most_bytes: u64,
    pub patience_s: u64,
}

/// A title of `frames` distinct pictures at 25 a second and one mono or stereo track without a language.
pub fn film(frames: usize) -> Title {
    Title {
        frames: Some((frames, 0)),
        distinct: true,
        seconds: frames as f64 / 25.0,
        within: 0.05,
        size: None,
        audio: vec![(None, 1)],
        notice: None,
        signal: None,
        bright: None,
        most_bytes: 40 << 20,
        patience_s: 100,
    }
}

/// A title of one mono track.
pub fn sound(seconds: f64) -> Title {
    Title { frames: None, seconds, ..film(0) }
}

/// Fails, beginning with these words.
pub fn refused(words: &'static str) -> Wanted {
    Wanted::Refused(words)
}

impl From<Title> for Wanted {
    fn from(title: Title) -> Self {
        Self::Title(title)
    }
}

impl Title {
    pub fn silent(self) -> Self {
        Self { audio: Vec::new(), ..self }
    }

    pub fn lasting(self, seconds: f64) -> Self {
        Self { seconds, ..self }
    }

    /// A tolerance in frames and seconds, where what can be had of a broken file depends on its decoder.
    pub fn about(self, frames: usize, seconds: f64) -> Self {
        Self { frames: self.frames.map(|(n, _)| (n, frames)), within: seconds, ..self }
    }

    /// Pictures may be equal.
    pub fn repeating(self) -> Self {
        Self { distinct: false, ..self }
    }

    pub fn size(self, width: i64, height: i64) -> Self {
        Self { size: Some((width, height)), ..self }
    }

    pub fn tracks(self, audio: &[(Option<&'static str>, u32)]) -> Self {
        Self { audio: audio.to_vec(), ..self }
    }

    pub fn stereo(self) -> Self {
        self.tracks(&[(None, 2)])
    }

    pub fn notice(self, words: &'static str) -> Self {
        Self { notice: Some(words), ..self }
    }

    pub fn signal(self, at: f64) -> Self {
        Self { signal: Some(at), distinct: false, ..self }
    }

    pub fn bright(self, quarter: usize) -> Self {
        Self { bright: Some(quarter), distinct: false, ..self }
    }

    pub fn patience(self, seconds: u64) -> Self {
        Self { patience_s: seconds, ..self }
    }
}

/// Beginnings of everything that a creator is ever told when a file is refused.
pub const NOT_MEDIA: &str = "This is not a video or audio file that Kinora can read.";
pub const PLAYLIST: &str = "This is a playlist: it only names other files.";
pub const TRUNCATED: &str = "The file is incomplete:";
pub const DAMAGED: &str = "The file is damaged and cannot be read.";
pub const NO_STREAMS: &str = "There is neither a picture nor sound in this file.";
pub const ENCRYPTED: &str = "The file is encrypted";
pub const UNDECODABLE: &str = "Kinora cannot decode what is in this file";
pub const TOO_LONG: &str = "It plays for ";
pub const TOO_LARGE: &str = "Its picture of ";
pub const TOO_MANY: &str = "It has more than ";
pub const EMPTY: &str = "There is nothing to show in this file:";
pub const UNCONVERTIBLE: &str = "The file could not be converted:";

pub const VOCABULARY: [&str; 12] = [
    NOT_MEDIA,
    PLAYLIST,
    TRUNCATED,
    DAMAGED,
    NO_STREAMS,
    ENCRYPTED,
    UNDECODABLE,
    TOO_LONG,
    TOO_LARGE,
    TOO_MANY,
    EMPTY,
    UNCONVERTIBLE,
];

/// What a creator is told of a title that was made of a file that ends early.
pub const ENDS_EARLY: &str = "The file ends early";

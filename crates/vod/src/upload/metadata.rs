//! `Upload-Metadata`: keys and base64 values that a client sends along with a new upload.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{VideoId, Visibility, text::visible};

use super::error::{Result, bad};

const MAX_HEADER: usize = 8 * 1024;
const MAX_TITLE: usize = 200;
const MAX_FILENAME: usize = 255;

/// What we take from a client's metadata; other keys are kept verbatim for the client only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Without any folders; may be empty.
    pub filename: String,
    /// As declared; may be empty.
    pub content_type: String,
    pub title: String,
    pub visibility: Visibility,
    /// The title of which this is to become the next version.
    pub replaces: Option<VideoId>,
}

impl Metadata {
    /// Reads the header's value: `key base64,key base64`, a key without a value allowed (§ Upload-Metadata).
    pub fn read(header: &str) -> Result<Self> {
        if header.len() > MAX_HEADER {
            return Err(bad("Upload-Metadata is longer than 8 KiB."));
        }
        let mut found: Vec<(&str, Vec<u8>)> = Vec::new();
        for pair in header.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            if found.iter().any(|(known, _)| *known == key) {
                return Err(bad(format!("Upload-Metadata names the key {key} twice.")));
            }
            let value = STANDARD.decode(value.trim());
            found.push((
                key,
                value.map_err(|_| bad(format!("Upload-Metadata: the value of {key} is not base64.")))?,
            ));
        }
        let get = |keys: [&str; 2]| -> Result<String> {
            let found = keys.iter().find_map(|key| found.iter().find(|(known, _)| known == key));
            let Some((key, value)) = found else { return Ok(String::new()) };
            String::from_utf8(value.clone())
                .map_err(|_| bad(format!("Upload-Metadata: {key} is not UTF-8 text.")))
        };
        // `name` and `type` are what Uppy calls them.
        let filename = bare_name(&get(["filename", "name"])?);
        let visibility = match get(["visibility", "visibility"])?.as_str() {
            "" => Visibility::Private,
            word => match word.parse().map_err(|e| bad(format!("Upload-Metadata: visibility {e}.")))? {
                // Its time has no place in the metadata.
                Visibility::Scheduled => {
                    return Err(bad("Upload it as private and set its time to be published afterwards."));
                }
                visibility => visibility,
            },
        };
        let title = match get(["title", "title"])?.trim() {
            "" => title_of(&filename),
            title if title.chars().count() > MAX_TITLE || title.chars().any(char::is_control) => {
                return Err(bad("A title has 1 to 200 characters on one line."));
            }
            title => match visible(title).trim() {
                "" => title_of(&filename),
                seen => seen.to_owned(),
            },
        };
        let content_type =
            visible(&get(["filetype", "type"])?).trim().to_ascii_lowercase().chars().take(100).collect();
        let replaces = match get(["replaces", "replaces"])?.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| bad("Upload-Metadata: replaces is the id of a title."))?),
        };
        Ok(Self { filename, content_type, title, visibility, replaces })
    }
}

/// The last part of a path of any system, with nothing hidden in it.
fn bare_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    visible(last).chars().take(MAX_FILENAME).collect::<String>().trim().to_owned()
}

/// A title made from a file name: no extension, words instead of dots and underscores.
fn title_of(filename: &str) -> String {
    let stem = match filename.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= 5 => stem,
        _ => filename,
    };
    let spaced = stem.replace(['_', '.'], " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let title: String = words.join(" ").chars().take(MAX_TITLE).collect();
    if title.is_empty() { "Untitled".into() } else { title.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(pairs: &[(&str, &str)]) -> String {
        pairs.iter().map(|(k, v)| format!("{k} {}", STANDARD.encode(v))).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn a_title_is_given_or_made_from_the_file_name() {
        let title = |pairs: &[_]| Metadata::read(&header(pairs)).unwrap().title;
        assert_eq!(title(&[("filename", "My_holiday.2024.final.mp4")]), "My holiday 2024 final");
        assert_eq!(title(&[("filename", "C:\\Users\\me\\Überfahrt.mkv")]), "Überfahrt");
        assert_eq!(title(&[("name", "../../clip.mov")]), "clip");
        assert_eq!(title(&[("filename", "a.mp4"), ("title", " Named ")]), "Named");
        assert_eq!(title(&[]), "Untitled");
        assert_eq!(title(&[("filename", "._.mp4")]), "Untitled");
        // What turns text round would make this look like `film.mp4`.
        assert_eq!(title(&[("filename", "fi\u{202E}4pm.ml")]), "fi4pm");
        assert_eq!(title(&[("title", "\u{202E}\u{2066}Named\u{2069}"), ("filename", "a.mp4")]), "Named");
        assert_eq!(title(&[("title", "\u{202E}"), ("filename", "a.mp4")]), "a");
        assert_eq!(title(&[("filename", &"x".repeat(900))]).chars().count(), 200);
    }

    #[test]
    fn the_rest_is_read_too() {
        let read =
            Metadata::read(&header(&[("filetype", "Video/MP4"), ("visibility", "unlisted"), ("x", "y")]))
                .unwrap();
        assert_eq!((read.content_type.as_str(), read.visibility), ("video/mp4", Visibility::Unlisted));
        assert_eq!(Metadata::read("").unwrap().visibility, Visibility::Private);
        assert_eq!(Metadata::read("is_confidential").unwrap().title, "Untitled");
    }

    #[test]
    fn nonsense_is_refused() {
        let long = "a".repeat(9000);
        for wrong in [
            "title !!!".to_owned(),
            header(&[("title", "a"), ("title", "b")]),
            header(&[("visibility", "everybody")]),
            header(&[("title", "two\nlines")]),
            format!("title {}", STANDARD.encode([0xff, 0xfe])),
            long,
        ] {
            assert!(Metadata::read(&wrong).is_err(), "{wrong:.60}");
        }
    }
}

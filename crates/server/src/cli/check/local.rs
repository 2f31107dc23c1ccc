//! A presentation in a folder.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Component, Path, PathBuf},
    time::Duration,
};

use media::lint::{Answer, Failure, Source, Want};

use super::{Budget, MOST_BYTES};

/// Playlists and manifests to check at `path`: the file itself, or the entry points in a folder.
pub fn roots(path: &Path) -> Result<Vec<String>, String> {
    let meta = std::fs::metadata(path).map_err(|e| format!("{}: {e}", path.display()))?;
    if meta.is_file() {
        let name = path.file_name().ok_or_else(|| format!("{} has no name", path.display()))?;
        return Ok(vec![name.to_string_lossy().into_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut names: Vec<String> =
        entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    let with = |extension: &str| names.iter().filter(|n| n.ends_with(extension)).cloned().collect::<Vec<_>>();
    let playlists = with(".m3u8");
    let leading = |name: &String| {
        let start = start_of(&path.join(name));
        start.windows(17).any(|w| w == b"#EXT-X-STREAM-INF")
    };
    let multivariant: Vec<String> = playlists.iter().filter(|n| leading(n)).cloned().collect();
    let mut roots = if multivariant.is_empty() { playlists } else { multivariant };
    roots.extend(with(".mpd"));
    if roots.is_empty() {
        return Err(format!("{} holds neither playlists (.m3u8) nor manifests (.mpd)", path.display()));
    }
    Ok(roots)
}

fn start_of(path: &Path) -> Vec<u8> {
    let mut start = Vec::new();
    if let Ok(file) = File::open(path) {
        // What cannot be read has no start.
        let _ = file.take(1 << 20).read_to_end(&mut start);
    }
    start
}

/// Names within one folder: a playlist cannot lead out of it.
pub struct Local {
    folder: PathBuf,
    budget: Budget,
}

impl Local {
    pub fn new(path: &Path, budget: Budget) -> Result<Self, String> {
        let real = path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?;
        let folder = if real.is_dir() { real } else { real.parent().map(Path::to_owned).unwrap_or_default() };
        Ok(Self { folder, budget })
    }

    fn read(&mut self, want: &Want) -> Result<Answer, Failure> {
        self.budget.take()?;
        let gone = |e: std::io::Error| Failure::Unavailable(e.to_string());
        let path = self.folder.join(&want.url).canonicalize().map_err(gone)?;
        // Links may lead elsewhere; devices and pipes have no end.
        if !path.starts_with(&self.folder) || !path.is_file() {
            return Err(Failure::Unavailable("it is no file in the folder".into()));
        }
        let mut file = File::open(&path).map_err(gone)?;
        let size = file.metadata().map_err(gone)?.len();
        let mut answer = Answer { url: want.url.clone(), size: Some(size), ..Answer::default() };
        if want.size_only {
            return Ok(answer);
        }
        let range = want.range.clone().unwrap_or(0..size);
        if range.end > size {
            return Err(Failure::Unavailable(format!(
                "there are no bytes {} to {} in {size}",
                range.start, range.end
            )));
        }
        let length = range.end.saturating_sub(range.start);
        if length > MOST_BYTES {
            return Err(Failure::Limit(format!("{} has more than {MOST_BYTES} bytes", want.url)));
        }
        file.seek(SeekFrom::Start(range.start)).map_err(gone)?;
        let mut body = Vec::new();
        file.take(length).read_to_end(&mut body).map_err(gone)?;
        answer.size = Some(body.len() as u64);
        answer.body = body.into();
        Ok(answer)
    }
}

impl Source for Local {
    fn fetch(&mut self, wants: &[Want]) -> Vec<Result<Answer, Failure>> {
        wants.iter().map(|want| self.read(want)).collect()
    }

    fn resolve(&self, base: &str, reference: &str) -> Option<String> {
        let reference = reference.split(['?', '#']).next()?;
        if reference.contains("://") || reference.starts_with('/') {
            return None;
        }
        let joined = Path::new(base).parent().unwrap_or(Path::new("")).join(reference);
        let mut clean = PathBuf::new();
        for part in joined.components() {
            match part {
                Component::Normal(name) => clean.push(name),
                Component::CurDir => {}
                Component::ParentDir if clean.pop() => {}
                _ => return None,
            }
        }
        Some(clean.to_string_lossy().into_owned())
    }

    fn pause(&mut self, how_long: Duration) -> bool {
        self.budget.pause(how_long)
    }
}

//! The links that can be imported, and how they are shown.

use api::{Principal, Problem};
use backends::outbound::Refused;
use domain::Role;
use url::Url;

use super::Imports;

/// Longest link that is looked at.
const MAX_LENGTH: usize = 4096;

/// A link that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    Web(Url),
    /// A bucket by its configured name, and a key in it.
    Bucket(String, String),
}

impl Link {
    /// Reads a link as it was stored.
    pub fn parse(text: &str) -> Option<Self> {
        let mut url = Url::parse(text).ok()?;
        if url.scheme() != "s3" {
            url.set_fragment(None);
            return Some(Self::Web(url));
        }
        // Keys are taken as they are written, without percent-encoding.
        let (name, key) = text.get(5..)?.split_once('/')?;
        Some(Self::Bucket(name.to_owned(), key.to_owned()))
    }

    /// The link without what may be secret in it: its query.
    pub fn shown(&self) -> String {
        match self {
            Self::Bucket(name, key) => format!("s3://{name}/{key}"),
            Self::Web(url) => {
                let mut url = url.clone();
                url.set_query(None);
                // There are none; but what is shown must not depend on that.
                let _ = url.set_username("").and_then(|()| url.set_password(None));
                url.into()
            }
        }
    }

    /// The last part of its path.
    pub fn filename(&self) -> String {
        let path = match self {
            Self::Web(url) => percent_decoded(url.path()),
            Self::Bucket(_, key) => key.clone(),
        };
        path.rsplit('/').next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(255).collect()
    }
}

fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let coded = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = coded.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

/// The link in a request, if this person may have it fetched. Names are resolved only by whoever fetches.
pub fn wanted(imports: &Imports, principal: &Principal, text: &str) -> Result<Link, Problem> {
    let invalid = |words: String| Problem::invalid("url", words);
    let text = text.trim();
    if text.len() > MAX_LENGTH {
        return Err(invalid(format!("A link has at most {MAX_LENGTH} characters.")));
    }
    let link = Link::parse(text).ok_or_else(|| {
        invalid("This is no link. It begins with https://, http:// or s3:// and names a file.".into())
    })?;
    match &link {
        Link::Web(url) => {
            let refused = |why: Refused| {
                invalid(match why {
                    Refused::Scheme => {
                        "Only links that begin with https://, http:// or s3:// can be imported.".into()
                    }
                    why => format!("This link cannot be imported: {why}."),
                })
            };
            imports.outbound.policy().check(url).map_err(refused)?;
        }
        Link::Bucket(name, key) => {
            let unknown = || invalid("There is no such bucket to import from.".into());
            let config = imports.config.buckets.get(name).ok_or_else(unknown)?;
            // An administrator's token without the scope counts as a creator's.
            let role = if config.role == Role::Admin { principal.effective_role() } else { principal.role };
            if role < config.role || !key.starts_with(&config.prefix) {
                return Err(unknown());
            }
            let odd = key.is_empty() || key.ends_with('/') || key.chars().any(char::is_control);
            if odd || key.split('/').any(|part| matches!(part, "" | "." | "..")) {
                return Err(invalid("The link names no file in that bucket.".into()));
            }
        }
    }
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_shown_without_secrets_and_named_by_their_files() {
        let link =
            Link::parse("https://u:p@host.example/a/My%20film.mp4?X-Amz-Signature=secret#t=1").unwrap();
        assert_eq!(link.shown(), "https://host.example/a/My%20film.mp4");
        assert_eq!(link.filename(), "My film.mp4");
        let link = Link::parse("s3://footage/2024/a b%20c.mov").unwrap();
        assert_eq!(link, Link::Bucket("footage".into(), "2024/a b%20c.mov".into()));
        assert_eq!(link.filename(), "a b%20c.mov");
        assert_eq!(Link::parse("https://host/%zz/100%").unwrap().filename(), "100%");
        assert_eq!(Link::parse("film.mp4"), None);
        assert_eq!(Link::parse("s3://bucket"), None);
    }
}

//! What a caller wants: its stream ID, by the access control guidelines of SRT (Haivision, docs/features/access-control.md), and the shorter
//! forms that encoders' forms have room for.

/// What is wrong with a stream ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It cannot be read, or names no key.
    Syntax,
    /// It does not ask to publish.
    Mode,
}

/// The stream key: `#!::r=KEY,m=publish`, `publish:KEY` or `KEY`.
pub fn key(stream_id: &[u8]) -> Result<&str, Wrong> {
    let text = std::str::from_utf8(stream_id).map_err(|_| Wrong::Syntax)?.trim_end_matches('\0');
    let key = match text.strip_prefix("#!:") {
        Some(fields) => resource(fields.strip_prefix(':').ok_or(Wrong::Syntax)?)?,
        None => text.strip_prefix("publish:").unwrap_or(text),
    };
    if key.is_empty() || key.chars().any(char::is_control) { Err(Wrong::Syntax) } else { Ok(key) }
}

/// The resource among `name=value` pairs with commas between them.
fn resource(fields: &str) -> Result<&str, Wrong> {
    let mut key = None;
    for field in fields.split(',') {
        match field.split_once('=').ok_or(Wrong::Syntax)? {
            ("r", value) => key = Some(value),
            // Encoders that leave it out can do nothing else here.
            ("m", "publish") | ("t", "stream") => {}
            ("m" | "t", _) => return Err(Wrong::Mode),
            _ => {}
        }
    }
    key.ok_or(Wrong::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_name_a_key() {
        for id in [
            "abc",
            "publish:abc",
            "#!::r=abc,m=publish",
            "#!::m=publish,r=abc,u=someone,h=example.org,t=stream,s=1",
            "#!::r=abc",
            "abc\0\0",
        ] {
            assert_eq!(key(id.as_bytes()), Ok("abc"), "{id}");
        }
        assert_eq!(key(b"#!::r=a=b,m=publish"), Ok("a=b"));
    }

    #[test]
    fn what_is_none_is_refused() {
        for id in [
            &b""[..],
            b"publish:",
            b"#!::",
            b"#!::m=publish",
            b"#!:{r=abc}",
            b"#!::r=,m=publish",
            b"\xff",
            b"a\nb",
        ] {
            assert_eq!(key(id), Err(Wrong::Syntax), "{id:?}");
        }
        for id in ["#!::r=abc,m=request", "#!::r=abc,m=bidirectional", "#!::r=abc,t=file,m=publish"] {
            assert_eq!(key(id.as_bytes()), Err(Wrong::Mode), "{id}");
        }
    }
}

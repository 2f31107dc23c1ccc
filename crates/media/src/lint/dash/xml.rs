//! XML into a tree: well-formed, without document types, within limits. Entities other than the five of XML are refused.

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// As written, with its prefix.
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    /// Character data directly within.
    pub text: String,
    pub line: usize,
}

impl Element {
    /// Name without prefix.
    pub fn local(&self) -> &str {
        self.name.rsplit(':').next().unwrap_or_default()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.local() == name)
    }

    pub fn first(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.local() == name)
    }
}

/// Why it could not be read, and in which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    pub what: &'static str,
    pub line: usize,
}

const MOST_BYTES: usize = 32 << 20;
const MOST_ELEMENTS: usize = 500_000;
const MOST_DEPTH: usize = 40;

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    elements: usize,
}

type Result<T> = std::result::Result<T, Malformed>;

/// The root element.
pub fn parse(bytes: &[u8]) -> Result<Element> {
    let malformed = |what| Malformed { what, line: 1 };
    if bytes.len() > MOST_BYTES {
        return Err(malformed("it is longer than 32 MiB"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
    let mut reader = Reader { rest: text, line: 1, elements: 0 };
    reader.misc()?;
    let root = reader.element()?;
    reader.misc()?;
    if !reader.rest.is_empty() {
        return reader.fail("something follows the root element");
    }
    Ok(root)
}

impl<'a> Reader<'a> {
    fn fail<T>(&self, what: &'static str) -> Result<T> {
        Err(Malformed { what, line: self.line })
    }

    fn skip(&mut self, n: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(n);
        self.line += taken.bytes().filter(|b| *b == b'\n').count();
        self.rest = rest;
        taken
    }

    fn space(&mut self) {
        let n = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.skip(n);
    }

    /// Up to `end`, which is passed.
    fn until(&mut self, end: &str, missing: &'static str) -> Result<&'a str> {
        let Some(n) = self.rest.find(end) else { return self.fail(missing) };
        let taken = self.skip(n);
        self.skip(end.len());
        Ok(taken)
    }

    /// Comments, processing instructions and space outside of the root.
    fn misc(&mut self) -> Result<()> {
        loop {
            self.space();
            if self.rest.starts_with("<!--") {
                self.comment()?;
            } else if self.rest.starts_with("<?") {
                self.until("?>", "a processing instruction does not end")?;
            } else if self.rest.starts_with("<!") {
                return self.fail("it has a document type, which is not allowed here");
            } else {
                return Ok(());
            }
        }
    }

    fn comment(&mut self) -> Result<()> {
        self.skip(4);
        let inside = self.until("-->", "a comment does not end")?;
        if inside.contains("--") { self.fail("a comment holds two hyphens") } else { Ok(()) }
    }

    fn name(&mut self) -> Result<&'a str> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.')))
            .unwrap_or(self.rest.len());
        let bad = self.rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'));
        if end == 0 || bad {
            return self.fail("a name was expected");
        }
        Ok(self.skip(end))
    }

    /// Children are read with a stack of our own, so that no depth exhausts the real one.
    fn element(&mut self) -> Result<Element> {
        let (root, closed) = self.open()?;
        if closed {
            return Ok(root);
        }
        let mut stack = vec![root];
        loop {
            let n = self.rest.find('<').unwrap_or(self.rest.len());
            let text = self.skip(n);
            let text = self.decoded(text)?;
            let Some(current) = stack.last_mut() else { return self.fail("an element does not end") };
            current.text.push_str(&text);
            if self.rest.starts_with("<!--") {
                self.comment()?;
            } else if self.rest.starts_with("<![CDATA[") {
                self.skip(9);
                let data = self.until("]]>", "character data do not end")?;
                current.text.push_str(data);
            } else if self.rest.starts_with("<?") {
                self.until("?>", "a processing instruction does not end")?;
            } else if self.rest.starts_with("</") {
                self.skip(2);
                let name = self.name()?;
                self.space();
                if name != current.name || !self.rest.starts_with('>') {
                    return self.fail("an end tag does not match");
                }
                self.skip(1);
                let Some(done) = stack.pop() else { return self.fail("an end tag does not match") };
                match stack.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            } else if self.rest.starts_with('<') {
                let (child, closed) = self.open()?;
                if closed {
                    current.children.push(child);
                } else if stack.len() >= MOST_DEPTH {
                    return self.fail("elements are nested too deep");
                } else {
                    stack.push(child);
                }
            } else {
                return self.fail("an element does not end");
            }
        }
    }

    /// A start tag, and whether it also ends the element.
    fn open(&mut self) -> Result<(Element, bool)> {
        self.elements += 1;
        if self.elements > MOST_ELEMENTS {
            return self.fail("it has too many elements");
        }
        if !self.rest.starts_with('<') {
            return self.fail("an element was expected");
        }
        let line = self.line;
        self.skip(1);
        let mut element = Element { name: self.name()?.to_owned(), line, ..Element::default() };
        loop {
            let before = self.rest.len();
            self.space();
            if self.rest.starts_with("/>") {
                self.skip(2);
                return Ok((element, true));
            }
            if self.rest.starts_with('>') {
                self.skip(1);
                return Ok((element, false));
            }
            if before == self.rest.len() {
                return self.fail("attributes are not parted by space");
            }
            let (name, value) = self.attribute()?;
            if element.get(&name).is_some() {
                return self.fail("an attribute stands twice");
            }
            element.attributes.push((name, value));
        }
    }

    fn attribute(&mut self) -> Result<(String, String)> {
        let name = self.name()?.to_owned();
        self.space();
        if !self.rest.starts_with('=') {
            return self.fail("an attribute has no value");
        }
        self.skip(1);
        self.space();
        let quote = if self.rest.starts_with('"') { "\"" } else { "'" };
        if !self.rest.starts_with(quote) {
            return self.fail("an attribute's value is not quoted");
        }
        self.skip(1);
        let value = self.until(quote, "an attribute's value does not end")?;
        if value.contains('<') {
            return self.fail("an attribute's value holds <");
        }
        Ok((name, self.decoded(value)?))
    }

    /// With the five entities of XML and character references replaced.
    fn decoded(&self, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('&') {
            out.push_str(before);
            let Some((entity, after)) = after.split_once(';') else { return self.fail("an & stands alone") };
            let number =
                |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
            let character = match entity {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => match entity.strip_prefix('#') {
                    Some(code) => {
                        code.strip_prefix('x').map_or_else(|| number(code, 10), |hex| number(hex, 16))
                    }
                    None => None,
                },
            };
            match character {
                Some(c) => out.push(c),
                None => return self.fail("it uses an entity that XML does not define"),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_read() {
        let root = parse(b"<?xml version=\"1.0\"?>\n<!-- x --><a:b c='1 &amp; &#x41;'>t<d/>\n<e>f<![CDATA[<&]]></e></a:b>\n").unwrap();
        assert_eq!((root.local(), root.get("c"), root.text.trim()), ("b", Some("1 & A"), "t"));
        assert_eq!(root.first("e").map(|e| (e.text.as_str(), e.line)), Some(("f<&", 3)));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for wrong in [
            "",
            "<a>",
            "<a></b>",
            "<a b=1/>",
            "<a b='1' b='2'/>",
            "<a>&x;</a>",
            "<a/><b/>",
            "<a b='<'/>",
            "<a",
            "a",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<a b='1'c='2'/>",
            "<1/>",
            "<a>&</a>",
            "<!-- -- --><a/>",
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        assert_eq!(parse(deep.as_bytes()).unwrap_err().what, "elements are nested too deep");
    }
}

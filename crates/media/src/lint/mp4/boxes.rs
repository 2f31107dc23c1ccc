//! Boxes with their paths and places.

use crate::{
    bits::Fields,
    lint::{Place, Report, rules::cmaf as rules},
};

/// One box.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    pub kind: [u8; 4],
    /// `moov/trak/tkhd`.
    pub path: String,
    pub body: &'a [u8],
    /// Place of the box's first byte in what was read.
    pub start: u64,
    /// Bytes of the whole box, as it says.
    pub size: u64,
    /// Bytes of its own header.
    pub header: u64,
}

impl Node<'_> {
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.size)
    }

    /// Place of the first byte after the box's header.
    pub fn body_start(&self) -> u64 {
        self.start.saturating_add(self.header)
    }
}

/// Where findings go, and in which file they are made.
pub struct Context<'r> {
    pub url: &'r str,
    pub report: &'r mut Report,
}

impl Context<'_> {
    pub fn add(&mut self, rule: &'static super::super::Rule, path: &str, what: impl Into<String>) {
        self.report.add(rule, Place::path(self.url, path), what);
    }

    /// Reads fields of a box, or says that they are not there.
    pub fn fields<T>(
        &mut self,
        node: &Node<'_>,
        read: impl FnOnce(&mut Fields<'_>) -> crate::Result<T>,
    ) -> Option<T> {
        let mut fields = Fields::new("box", node.body);
        match read(&mut fields) {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(&rules::BOX_CONTENT, &node.path, error.to_string());
                None
            }
        }
    }

    /// The only child of this kind; missing is a finding.
    pub fn need<'b, 'a>(
        &mut self,
        parent: &str,
        nodes: &'b [Node<'a>],
        kind: &[u8; 4],
    ) -> Option<&'b Node<'a>> {
        let found = self.one(nodes, kind);
        if found.is_none() {
            self.add(&rules::BOX_MISSING, parent, format!("there is no `{}`", super::name(*kind)));
        }
        found
    }

    /// The only child of this kind, if any; a second one is a finding.
    pub fn one<'b, 'a>(&mut self, nodes: &'b [Node<'a>], kind: &[u8; 4]) -> Option<&'b Node<'a>> {
        let mut found = nodes.iter().filter(|n| n.kind == *kind);
        let first = found.next();
        if let Some(second) = found.next() {
            self.add(&rules::BOX_DUPLICATE, &second.path, format!("`{}` stands twice", super::name(*kind)));
        }
        first
    }
}

/// Boxes of one container that are read.
const MOST: usize = 100_000;

/// The boxes that lie back to back in `bytes`, whose first byte is at `at`. A box that is cut off is told, and
/// read as far as it goes.
pub fn children<'a>(parent: &str, bytes: &'a [u8], at: u64, context: &mut Context<'_>) -> Vec<Node<'a>> {
    let mut nodes = Vec::new();
    let mut offset = 0usize;
    while offset < bytes.len() && nodes.len() < MOST {
        let rest = &bytes[offset..];
        let path = |name: &str| if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
        let Some((kind, header, size)) = head(rest) else {
            let what = format!("{} bytes are left over, too few for a box", rest.len());
            context.add(&rules::BOX_SIZE, &path("?"), what);
            break;
        };
        let path = path(&super::name(kind));
        let start = at.saturating_add(offset as u64);
        let length = usize::try_from(size).unwrap_or(usize::MAX);
        if length < header || rest.len() < header {
            context.add(
                &rules::BOX_SIZE,
                &path,
                format!("it says {size} bytes at {start}, fewer than its header"),
            );
            break;
        }
        if length > rest.len() {
            let what = format!("it says {size} bytes at {start}, but {} are left", rest.len());
            context.add(&rules::BOX_SIZE, &path, what);
        }
        let whole = &rest[..length.min(rest.len())];
        nodes.push(Node { kind, path, body: &whole[header..], start, size, header: header as u64 });
        offset += whole.len();
    }
    nodes
}

/// Kind, bytes of the header, and size of the box that `bytes` begin with; a size of 0 lasts to the end.
fn head(bytes: &[u8]) -> Option<([u8; 4], usize, u64)> {
    let size = u32::from_be_bytes(*bytes.first_chunk()?);
    let kind = *bytes.get(4..)?.first_chunk()?;
    Some(match size {
        0 => (kind, 8, bytes.len() as u64),
        1 => (kind, 16, u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?)),
        _ => (kind, 8, u64::from(size)),
    })
}

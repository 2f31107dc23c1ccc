//! Writing indented XML elements with escaped attributes.

/// An element under construction: attributes first, then children.
pub struct Element {
    name: &'static str,
    attributes: String,
    children: Vec<Node>,
}

enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: String::new(), children: Vec::new() }
    }

    pub fn attr(mut self, name: &str, value: impl ToString) -> Self {
        self.attributes.push_str(&format!(" {name}=\"{}\"", escape(&value.to_string())));
        self
    }

    pub fn maybe(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    pub fn child(mut self, child: Element) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children.into_iter().map(Node::Element));
        self
    }

    pub fn text(mut self, text: &str) -> Self {
        self.children.push(Node::Text(escape(text)));
        self
    }

    pub fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        out.push_str(&format!("{indent}<{}{}", self.name, self.attributes));
        match self.children.as_slice() {
            [] => out.push_str("/>\n"),
            [Node::Text(text)] => out.push_str(&format!(">{text}</{}>\n", self.name)),
            children => {
                out.push_str(">\n");
                for child in children {
                    match child {
                        Node::Element(element) => element.write(out, depth + 1),
                        Node::Text(text) => out.push_str(text),
                    }
                }
                out.push_str(&format!("{indent}</{}>\n", self.name));
            }
        }
    }
}

/// Escapes what has a meaning in text and attributes; drops what XML 1.0 §2.2 does not allow at all.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_stays_text() {
        let element = Element::new("Label").attr("a", "\"<>&").text("A & <b>\u{1}");
        assert!(element.document().ends_with("<Label a=\"&quot;&lt;&gt;&amp;\">A &amp; &lt;b&gt;</Label>\n"));
    }
}

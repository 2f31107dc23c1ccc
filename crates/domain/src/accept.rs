//! Lists in which a client weighs what it takes: `Accept`, `Accept-Encoding` (RFC 9110 §12.4.2).

/// What one element of a list names, and whether it is taken: weight 0 means no.
pub fn range(text: &str) -> (&str, bool) {
    let mut fields = text.split(';').map(str::trim);
    let name = fields.next().unwrap_or_default();
    let refused = fields
        .any(|field| field.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0)));
    (name, !refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weight_zero_is_a_refusal() {
        for (text, name, taken) in [
            (" br;q=0.5", "br", true),
            ("gzip ; q=0.0", "gzip", false),
            ("text/html;level=1;q=0", "text/html", false),
            ("*;q=x", "*", true),
            ("", "", true),
        ] {
            assert_eq!(range(text), (name, taken), "{text}");
        }
    }
}

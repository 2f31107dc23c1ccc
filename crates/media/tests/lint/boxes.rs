//! Changing boxes deep in a file; sizes of the boxes around follow.

/// Bytes between the header of a box and the boxes in it.
fn fixed(kind: &[u8]) -> usize {
    match kind {
        b"stsd" => 8,
        b"avc1" | b"encv" => 78,
        b"mp4a" | b"enca" => 28,
        _ => 0,
    }
}

/// Puts what `change` makes of it in the place of each box at `path` (`moof/traf/tfdt`); it gets and gives whole boxes.
pub fn edit(bytes: &[u8], path: &str, change: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let (mut out, mut at) = (Vec::new(), 0);
    while at + 8 <= bytes.len() {
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let whole = &bytes[at..at + size];
        if &whole[4..8] != first.as_bytes() {
            out.extend_from_slice(whole);
        } else if let Some(rest) = rest {
            let head = 8 + fixed(&whole[4..8]);
            let inside = edit(&whole[head..], rest, change);
            out.extend((head as u32 + inside.len() as u32).to_be_bytes());
            out.extend_from_slice(&whole[4..head]);
            out.extend(inside);
        } else {
            out.extend(change(whole));
        }
        at += size;
    }
    out
}

/// Writes `value` at `offset` of the body of a box.
pub fn poke(bytes: &[u8], path: &str, offset: usize, value: &[u8]) -> Vec<u8> {
    edit(bytes, path, &|whole| {
        let mut whole = whole.to_vec();
        whole[8 + offset..8 + offset + value.len()].copy_from_slice(value);
        whole
    })
}

/// Makes boxes invisible without moving anything.
pub fn free(bytes: &[u8], path: &str) -> Vec<u8> {
    edit(bytes, path, &|whole| [&whole[..4], b"free", &whole[8..]].concat())
}

pub fn remove(bytes: &[u8], path: &str) -> Vec<u8> {
    edit(bytes, path, &|_| Vec::new())
}

/// A box of its own.
pub fn new(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
}

/// Adds a box behind those at `path`.
pub fn after(bytes: &[u8], path: &str, added: &[u8]) -> Vec<u8> {
    edit(bytes, path, &|whole| [whole, added].concat())
}

/// Adds to the data offset of each `trun`, after `moof` has grown.
pub fn shift_data(bytes: &[u8], by: i32) -> Vec<u8> {
    edit(bytes, "moof/traf/trun", &|whole| {
        let mut whole = whole.to_vec();
        let old = i32::from_be_bytes(whole[16..20].try_into().unwrap());
        whole[16..20].copy_from_slice(&(old + by).to_be_bytes());
        whole
    })
}

/// The whole box at `path`.
pub fn find(bytes: &[u8], path: &str) -> Vec<u8> {
    let found = std::cell::RefCell::new(Vec::new());
    edit(bytes, path, &|whole| {
        *found.borrow_mut() = whole.to_vec();
        whole.to_vec()
    });
    found.into_inner()
}

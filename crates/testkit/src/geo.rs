//! A tiny country database in the MaxMind DB format (version 2.0), so that tests know every address in it.

/// Networks of IPv4 (`("81.0.0.0", 8, "FR")`) as a database; `nested` as MaxMind keeps the code, flat as others do.
#[allow(clippy::expect_used, reason = "a test that writes an address wrongly is wrong")]
pub fn country_database(networks: &[(&str, u8, &str)], nested: bool) -> Vec<u8> {
    let mut data = Vec::new();
    // Each node: what follows a 0 and a 1. `None`: nothing is known.
    let mut nodes: Vec<[Option<Next>; 2]> = vec![[None; 2]];
    for (address, bits, code) in networks {
        let offset = data.len();
        if nested {
            map(&mut data, 1);
            text(&mut data, "country");
            map(&mut data, 1);
            text(&mut data, "iso_code");
        } else {
            map(&mut data, 1);
            text(&mut data, "country_code");
        }
        text(&mut data, code);
        let address = u32::from(address.parse::<std::net::Ipv4Addr>().expect("an IPv4 address"));
        insert(&mut nodes, address, *bits, offset);
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for record in nodes.iter().flatten() {
        let value = match record {
            None => count,
            Some(Next::Node(node)) => *node,
            Some(Next::Data(offset)) => count + 16 + offset,
        };
        out.extend_from_slice(&(value as u32).to_be_bytes()[1..]);
    }
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    metadata(&mut out, count);
    out
}

#[derive(Clone, Copy)]
enum Next {
    Node(usize),
    Data(usize),
}

fn insert(nodes: &mut Vec<[Option<Next>; 2]>, address: u32, bits: u8, offset: usize) {
    let mut at = 0;
    for depth in 0..bits {
        let side = (address >> (31 - u32::from(depth)) & 1) as usize;
        if depth + 1 == bits {
            nodes[at][side] = Some(Next::Data(offset));
            return;
        }
        at = match nodes[at][side] {
            Some(Next::Node(node)) => node,
            _ => {
                nodes.push([None; 2]);
                nodes[at][side] = Some(Next::Node(nodes.len() - 1));
                nodes.len() - 1
            }
        };
    }
}

fn metadata(out: &mut Vec<u8>, nodes: usize) {
    map(out, 9);
    text(out, "node_count");
    out.push(6 << 5 | 4);
    out.extend_from_slice(&(nodes as u32).to_be_bytes());
    for (name, number) in [
        ("record_size", 24),
        ("ip_version", 4),
        ("binary_format_major_version", 2),
        ("binary_format_minor_version", 0_u16),
    ] {
        text(out, name);
        out.push(5 << 5 | 2);
        out.extend_from_slice(&number.to_be_bytes());
    }
    text(out, "database_type");
    text(out, "Test-Country");
    text(out, "languages");
    // An empty array, an extended type as well: 7 + 4.
    out.extend_from_slice(&[0, 4]);
    text(out, "description");
    map(out, 0);
    text(out, "build_epoch");
    // An unsigned integer of 64 bits is an extended type: 7 + 2.
    out.extend_from_slice(&[8, 2]);
    out.extend_from_slice(&1_767_225_600_u64.to_be_bytes());
}

fn map(out: &mut Vec<u8>, pairs: u8) {
    out.push(7 << 5 | pairs);
}

/// Up to 28 bytes.
fn text(out: &mut Vec<u8>, text: &str) {
    out.push(2 << 5 | text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

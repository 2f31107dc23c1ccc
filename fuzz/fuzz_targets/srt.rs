//! The SRT protocol: a caller that has been let in, and others, send any datagrams at any time. No panic, no more is delivered than was
//! sent, answers and what is held stay within limits.
#![no_main]

use std::{
    hash::{BuildHasherDefault, DefaultHasher},
    net::SocketAddr,
    time::{Duration, Instant},
};

use libfuzzer_sys::fuzz_target;
use sapflow_srt::{
    Config, Event, Listener,
    crypto::{CryptoConfig, KeySize},
    packet::{Control, ControlPacket, Extension, Handshake, HandshakeKind, Packet, SrtHandshake, ext_flags},
};

type Fixed = BuildHasherDefault<DefaultHasher>;

/// A handshake of a caller's; without extensions it is its first one.
fn handshake(cookie: u32, extensions: Vec<Extension>) -> Vec<u8> {
    let first = extensions.is_empty();
    let handshake = Handshake {
        version: if first { 4 } else { 5 },
        encryption: 0,
        extension: if first { 2 } else { ext_flags::HSREQ | ext_flags::CONFIG },
        initial_seq: 0x7fff_fff0,
        mtu: 1500,
        flow_window: 8192,
        kind: if first { HandshakeKind::Induction } else { HandshakeKind::Conclusion },
        socket_id: 9,
        cookie,
        peer_ip: [0; 16],
        extensions,
    };
    let mut out = Vec::new();
    ControlPacket::new(1, 0, Control::Handshake(handshake)).encode(&mut out);
    out
}

fn cookie(listener: &mut Listener<Fixed>) -> u32 {
    let (_, bytes) = listener.poll_transmit().expect("an answer");
    let Ok(Packet::Control(ControlPacket { body: Control::Handshake(answer), .. })) = Packet::parse(&bytes)
    else {
        panic!("not a handshake")
    };
    answer.cookie
}

fuzz_target!(|data: &[u8]| {
    let Some((mode, mut rest)) = data.split_first() else { return };
    let (peer, other): (SocketAddr, SocketAddr) = (([10, 0, 0, 1], 1).into(), ([10, 0, 0, 2], 2).into());
    let mut now = Instant::now();
    let secret = (mode & 1 == 1).then(|| CryptoConfig::new(b"correct-horse".to_vec(), KeySize::Aes128).unwrap());
    let config =
        Config { max_connections: 4, buffer_packets: 64, allow_plaintext: true, crypto: secret, ..Config::default() };
    let mut listener = Listener::with_key(config, now, Fixed::default());
    listener.handle_datagram(now, peer, &handshake(0, Vec::new()));
    let cookie = cookie(&mut listener);
    let request = SrtHandshake { version: 0x01_05_01, flags: 0xbf, receiver_delay: 100, sender_delay: 100 };
    let asks = vec![Extension::HsReq(request), Extension::StreamId(b"key".to_vec())];
    listener.handle_datagram(now, peer, &handshake(cookie, asks));
    let Some(Event::Connect { id, .. }) = listener.poll_event() else { panic!("nobody asks") };
    assert!(listener.accept(id, now));
    let (mut sent, mut came) = (0, 0);
    while let [step, kind, length, more @ ..] = rest {
        let (bytes, more) = more.split_at(usize::from(*length).min(more.len()));
        rest = more;
        now += Duration::from_millis(u64::from(*step) * 4);
        let mut datagram = bytes.to_vec();
        match kind % 3 {
            // To the connection that is open; to the listener, with a cookie that is right.
            0 => datagram.get_mut(12..16).into_iter().for_each(|to| to.copy_from_slice(&id.0.to_be_bytes())),
            1 => datagram.get_mut(44..48).into_iter().for_each(|at| at.copy_from_slice(&cookie.to_be_bytes())),
            _ => {}
        }
        sent += 1;
        listener.handle_datagram(now, if kind & 0x80 == 0 { peer } else { other }, &datagram);
        listener.handle_timeout(now);
        while let Some(event) = listener.poll_event() {
            match event {
                Event::Connect { id, .. } if kind & 0x40 == 0 => drop(listener.accept(id, now)),
                Event::Data { .. } => came += 1,
                _ => {}
            }
        }
        let answers = std::iter::from_fn(|| listener.poll_transmit()).count();
        assert!(answers <= 64, "{answers} answers");
        assert!(listener.connections() <= 4 && came <= sent);
    }
});

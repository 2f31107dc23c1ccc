//! Conversations with well-behaved and with hostile clients.

use super::*;

const LIMITS: Limits = Limits { message: 1 << 20, partial: 2 << 20, chunk_streams: 8 };

fn session() -> Session {
    Session::new(LIMITS, [7; 1528])
}

/// C0, C1 and C2.
fn hello() -> Vec<u8> {
    [&[3][..], &[0; 8], &[1; 1528], &[2; 1536]].concat()
}

fn chunked(id: u8, kind: u8, stream: u32, time: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let body = Bytes::copy_from_slice(body);
    write(&mut out, id, &Message { kind, stream, time, body }, 128);
    out
}

fn call(name: &str, transaction: f64, rest: &[Value]) -> Vec<u8> {
    let mut body = Vec::new();
    flv::amf::write(&mut body, &Value::text(name));
    flv::amf::write(&mut body, &Value::Number(transaction));
    rest.iter().for_each(|value| flv::amf::write(&mut body, value));
    chunked(3, chunk::COMMAND, 1, 0, &body)
}

fn connect() -> Vec<u8> {
    call(
        "connect",
        1.0,
        &[Value::object([("app", Value::text("live")), ("tcUrl", Value::text("rtmp://h/live"))])],
    )
}

fn publish(key: &str) -> Vec<u8> {
    call("publish", 5.0, &[Value::Null, Value::text(key), Value::text("live")])
}

fn run(session: &mut Session, bytes: &[u8]) -> Result<Vec<Event>, Fault> {
    session.feed(bytes);
    let mut events = Vec::new();
    while let Some(event) = session.next()? {
        events.push(event);
    }
    Ok(events)
}

/// Messages that the session sends, after the handshake.
fn heard(session: &mut Session) -> Vec<Message> {
    let mut reader =
        Reader::new(chunk::Limits { media: 1 << 20, other: 1 << 20, partial: 1 << 20, streams: 9 });
    reader.set_chunk_size(OUR_CHUNK_SIZE as u32).unwrap();
    let mut input = BytesMut::from(&session.take_output()[..]);
    std::iter::from_fn(|| reader.next(&mut input).unwrap()).collect()
}

fn statuses(session: &mut Session) -> Vec<(String, String)> {
    let commands = heard(session).into_iter().filter(|m| m.kind == chunk::COMMAND);
    let status = |m: Message| {
        let command = Command::read(&m.body).unwrap();
        let about = command.arguments.first()?.clone();
        let text = |name| about.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
        Some((text("code"), text("description")))
    };
    commands.filter_map(status).collect()
}

/// A session in which somebody publishes.
fn publishing() -> Session {
    let mut session = session();
    run(&mut session, &[hello(), connect(), publish("key")].concat()).unwrap();
    session.admit();
    session.take_output();
    session
}

#[test]
fn a_publisher_comes_in_by_any_pieces() {
    let create = call("createStream", 4.0, &[Value::Null]);
    let release = call("releaseStream", 2.0, &[Value::Null, Value::text("key")]);
    let all = [hello(), connect(), release, create, publish("key?x=1")].concat();
    for piece in [1, 100, 5000] {
        let mut session = session();
        let mut events = Vec::new();
        for piece in all.chunks(piece) {
            events.extend(run(&mut session, piece).unwrap());
        }
        assert_eq!(events, [Event::Publish { app: "live".into(), key: "key?x=1".into() }]);
        let output = session.take_output();
        assert_eq!((output[0], &output[9..1537], &output[1545..3073]), (3, &[7; 1528][..], &[1; 1528][..]));
        session.output = output[3073..].to_vec();
        let kinds: Vec<u8> = heard(&mut session).iter().map(|m| m.kind).collect();
        assert_eq!(kinds, [5, 6, 1, 20, 20, 20]);
        // What comes while it is being decided is not looked at.
        let frame = chunked(4, chunk::VIDEO, 1, 40, &[0x17, 1, 0, 0, 0, 9]);
        assert_eq!(run(&mut session, &frame).unwrap(), []);
        session.admit();
        assert_eq!(statuses(&mut session)[0].0, "NetStream.Publish.Start");
        let events = run(&mut session, &[]).unwrap();
        assert!(matches!(&events[..], [Event::Media { kind: Kind::Video, time: 40, .. }]), "{events:?}");
    }
}

#[test]
fn a_refused_publisher_gets_words_and_nothing_more() {
    let mut session = session();
    run(&mut session, &[hello(), connect(), publish("wrong")].concat()).unwrap();
    session.take_output();
    session.refuse("NetStream.Publish.Denied", "This stream key is not valid.");
    let expected = ("NetStream.Publish.Denied".to_owned(), "This stream key is not valid.".to_owned());
    assert_eq!(statuses(&mut session), [expected]);
    assert_eq!(run(&mut session, &publish("again")).unwrap(), []);
    session.admit();
    assert!(session.take_output().is_empty(), "it stays outside");
}

#[test]
fn pings_are_answered_and_bytes_acknowledged() {
    let mut session = publishing();
    run(&mut session, &chunked(2, chunk::USER_CONTROL, 0, 0, &[0, 6, 1, 2, 3, 4])).unwrap();
    assert_eq!(heard(&mut session)[0].body, [0, 7, 1, 2, 3, 4][..]);
    run(&mut session, &chunked(2, chunk::WINDOW_SIZE, 0, 0, &[0, 1, 0, 0])).unwrap();
    let before = session.received;
    for _ in 0..3 {
        run(&mut session, &chunked(4, chunk::VIDEO, 1, 0, &[0x17; 40_000])).unwrap();
    }
    let acknowledged: Vec<_> =
        heard(&mut session).into_iter().filter(|m| m.kind == chunk::ACKNOWLEDGEMENT).collect();
    assert_eq!(acknowledged.len(), 1);
    let told = u32::from_be_bytes(acknowledged[0].body[..].try_into().unwrap());
    assert!(told > before + 65_536, "{told}");
}

#[test]
fn metadata_ends_and_foreign_calls_are_understood() {
    let mut session = publishing();
    let mut data = Vec::new();
    for value in [
        Value::text("@setDataFrame"),
        Value::text("onMetaData"),
        Value::Map(vec![("encoder".into(), Value::text("x"))]),
    ] {
        flv::amf::write(&mut data, &value);
    }
    let events = run(&mut session, &chunked(4, chunk::DATA, 1, 0, &data)).unwrap();
    assert_eq!(events, [Event::Metadata(vec![("encoder".into(), Value::text("x"))])]);
    assert_eq!(
        run(&mut session, &chunked(4, chunk::DATA, 1, 0, &[17, 1])).unwrap(),
        [],
        "AMF3 is passed over"
    );
    run(&mut session, &call("_checkbw", 7.0, &[Value::Null])).unwrap();
    assert_eq!(statuses(&mut session)[0].0, "NetConnection.Call.Failed");
    run(&mut session, &publish("second")).unwrap();
    assert_eq!(statuses(&mut session)[0].0, "NetStream.Publish.BadName");
    let part = |time: u8| [&[9, 0, 0, 2, 0, 0, time, 0, 0, 0, 0][..], &[0x17, 2], &[0; 4]].concat();
    let events =
        run(&mut session, &chunked(4, chunk::AGGREGATE, 1, 1000, &[part(3), part(36)].concat())).unwrap();
    let times: Vec<_> =
        events.iter().map(|e| if let Event::Media { time, .. } = e { *time } else { 0 }).collect();
    assert_eq!(times, [1000, 1033]);
    assert_eq!(
        run(&mut session, &call("deleteStream", 0.0, &[Value::Null, Value::Number(1.0)])).unwrap(),
        [Event::Finished]
    );
}

/// What a hostile client may send: never a panic, bounded memory, and an end or silence.
#[test]
fn malformed_input_ends_the_session_or_is_passed_over() {
    let head = |id: u8, length: u32, kind: u8| {
        let [_, a, b, c] = length.to_be_bytes();
        vec![id, 0, 0, 0, a, b, c, kind, 1, 0, 0, 0]
    };
    let open = |bytes: Vec<u8>| [hello(), bytes].concat();
    let in_command = |body: &[u8]| open(chunked(3, chunk::COMMAND, 0, 0, body));
    let named = |rest: &[u8]| in_command(&[&[2, 0, 1, b'x'], rest].concat());
    let filled = |length: u32, kind: u8, more: usize| [head(4, length, kind), vec![0xc4; more]].concat();
    let many_streams: Vec<u8> = (3..40).flat_map(|id| [head(id, 200, 20), vec![0; 128]].concat()).collect();
    let size = |size: u32| chunked(2, chunk::SET_CHUNK_SIZE, 0, 0, &size.to_be_bytes());
    let long_key = publish(&"k".repeat(5000));
    let before: Vec<(&str, Vec<u8>, Option<Fault>)> = vec![
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec(), Some(Fault::NotRtmp)),
        ("TLS", vec![0x16, 3, 1, 2, 0], Some(Fault::NotRtmp)),
        ("RTMPE", vec![6; 1537], Some(Fault::Rtmpe)),
        ("encrypted RTMPE", vec![8; 1537], Some(Fault::Rtmpe)),
        ("another version", vec![31; 1537], Some(Fault::NotRtmp)),
        ("half a handshake", hello()[..900].to_vec(), None),
        ("a handshake without its end", hello()[..2000].to_vec(), None),
        ("a header cut short", open(vec![3, 0, 0]), None),
        ("a long chunk stream id, cut", open(vec![0]), None),
        ("nothing known of the stream", open(vec![0xc3]), Some(Fault::NoHeader(3))),
        ("a difference to nothing", open(vec![0x83, 0, 0, 1]), Some(Fault::NoHeader(3))),
        ("no message stream told", open(vec![0x43, 0, 0, 1, 0, 0, 1, 20]), Some(Fault::NoHeader(3))),
        ("too many chunk streams", open(many_streams), Some(Fault::ChunkStreams(8))),
        (
            "a message within a message",
            open([head(3, 500, 20), vec![0; 128], head(3, 5, 20)].concat()),
            Some(Fault::Interrupted(3)),
        ),
        ("16 MiB of command", open(head(3, 0xff_ffff, 20)), Some(Fault::TooLarge(0xff_ffff))),
        ("16 MiB of unknown kind", open(head(3, 0xff_ffff, 77)), Some(Fault::TooLarge(0xff_ffff))),
        ("pictures before the key", open(head(4, 100, 9)), Some(Fault::TooEarly)),
        ("sound before the key", open(head(4, 100, 8)), Some(Fault::TooEarly)),
        ("script data before the key", open(head(4, 100, 18)), Some(Fault::TooEarly)),
        ("an aggregate before the key", open(head(4, 100, 22)), Some(Fault::TooEarly)),
        ("chunks of no size", open(size(0)), Some(Fault::ChunkSize(0))),
        ("chunks of negative size", open(size(0x8000_0000)), Some(Fault::ChunkSize(0x8000_0000))),
        ("half a chunk size", open(chunked(2, chunk::SET_CHUNK_SIZE, 0, 0, &[0, 1])), Some(Fault::Control)),
        ("an empty control message", open(chunked(2, chunk::USER_CONTROL, 0, 0, &[])), Some(Fault::Control)),
        (
            "a ping without a stamp",
            open(chunked(2, chunk::USER_CONTROL, 0, 0, &[0, 6, 1])),
            Some(Fault::Control),
        ),
        ("half an abort", open(chunked(2, chunk::ABORT, 0, 0, &[0])), Some(Fault::Control)),
        ("an abort of nothing", open(chunked(2, chunk::ABORT, 0, 0, &[0, 0, 0, 9])), None),
        (
            "an empty command",
            in_command(&[]),
            Some(Fault::Command(media::Error::Invalid("command", "it has no name"))),
        ),
        (
            "a nameless command",
            in_command(&[0, 0, 0, 0, 0, 0, 0, 0, 0]),
            Some(Fault::Command(media::Error::Invalid("command", "it has no name"))),
        ),
        ("AMF3 within AMF0", named(&[17]), Some(Fault::Command(media::Error::Unsupported("AMF3".into())))),
        (
            "AMF3 alone",
            open(chunked(3, chunk::COMMAND_AMF3, 0, 0, &[4, 1])),
            Some(Fault::Command(media::Error::Unsupported("AMF3".into()))),
        ),
        (
            "a text longer than the message",
            named(&[2, 0xff, 0xff]),
            Some(Fault::Command(media::Error::Truncated("AMF0"))),
        ),
        (
            "a long text longer than the message",
            named(&[12, 0xff, 0xff, 0xff, 0xff]),
            Some(Fault::Command(media::Error::Truncated("AMF0"))),
        ),
        (
            "a list of 4 billion",
            named(&[10, 0xff, 0xff, 0xff, 0xff]),
            Some(Fault::Command(media::Error::TooLarge("AMF0", 2048))),
        ),
        (
            "an object without an end",
            named(&[3, 0, 1, b'a', 5]),
            Some(Fault::Command(media::Error::Truncated("AMF0"))),
        ),
        (
            "objects within objects",
            named(&[3, 0, 1, b'a'].repeat(99)),
            Some(Fault::Command(media::Error::Invalid("AMF0", "values lie too deep within one another"))),
        ),
        (
            "values without number",
            named(&[5; 3000]),
            Some(Fault::Command(media::Error::TooLarge("AMF0", 2048))),
        ),
        (
            "an unknown kind of value",
            named(&[99]),
            Some(Fault::Command(media::Error::Invalid("AMF0", "unknown kind of value"))),
        ),
        (
            "calls without end",
            open(call("createStream", 1.0, &[]).repeat(70)),
            Some(Fault::TooManyCommands(64)),
        ),
        ("a key of 5,000 letters", open([connect(), long_key].concat()), None),
        ("words that are not UTF-8", named(&[2, 0, 2, 0xff, 0xfe]), None),
    ];
    let count = before.len();
    for (what, bytes, fault) in before {
        let mut session = session();
        let ended = run(&mut session, &bytes);
        assert_eq!(ended.err(), fault, "{what}");
        assert!(session.held() < 512 << 10, "{what}: {} bytes", session.held());
        for piece in [1, 7] {
            let mut session = self::session();
            let ended = bytes.chunks(piece).find_map(|piece| run(&mut session, piece).err());
            assert_eq!(ended, fault, "{what} in pieces");
        }
    }
    let after: Vec<(&str, Vec<u8>, Option<Fault>)> = vec![
        ("2 MiB of picture", head(4, 2 << 20, 9), Some(Fault::TooLarge(2 << 20))),
        ("2 MiB of script", head(4, 2 << 20, 18), Some(Fault::TooLarge(2 << 20))),
        ("a picture that never ends", filled(1 << 20, 9, 128 * 100), None),
        (
            "an aggregate cut short",
            chunked(4, chunk::AGGREGATE, 1, 0, &[9, 0, 0, 9, 0]),
            Some(Fault::Command(media::Error::Truncated("aggregate message"))),
        ),
        ("script data that are none", chunked(4, chunk::DATA, 1, 0, &[99, 1]), None),
        ("an empty picture", chunked(4, chunk::VIDEO, 1, 0, &[]), None),
        ("a second stream", publish("other"), None),
        ("a new chunk size in the middle", [filled(1000, 9, 128), size(1)].concat(), None),
    ];
    assert!(count + after.len() >= 40);
    for (what, bytes, fault) in after {
        let mut session = publishing();
        let ended = run(&mut session, &bytes);
        assert_eq!(ended.err(), fault, "{what}");
        assert!(session.held() < 512 << 10, "{what}: {} bytes", session.held());
    }
}

/// Many unfinished messages at once are bounded together.
#[test]
fn unfinished_messages_are_bounded_together() {
    let mut session = Session::new(Limits { partial: 1 << 20, ..LIMITS }, [7; 1528]);
    run(&mut session, &[hello(), connect(), publish("key")].concat()).unwrap();
    session.admit();
    run(&mut session, &chunked(2, chunk::SET_CHUNK_SIZE, 0, 0, &(300u32 << 10).to_be_bytes())).unwrap();
    let mut end = None;
    for id in 4..9 {
        let bytes = [&[id, 0, 0, 0, 0x08, 0, 0, 9, 1, 0, 0, 0][..], &vec![0; 300 << 10]].concat();
        end = end.or(run(&mut session, &bytes).err());
    }
    assert_eq!(end, Some(Fault::TooMuch(1 << 20)));
}

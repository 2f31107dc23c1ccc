//! The fast lane: on a plain TCP connection, requests for media over HTTP/1.1 are answered here, files by `sendfile(2)` and
//! small bodies by one write. Whatever is not plain goes, with the bytes already read, to whoever speaks all of HTTP.

mod landing;
mod parse;
mod rewound;
mod send;
mod threads;
mod visitors;

use std::{
    io::{self, Write},
    net::IpAddr,
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_util::sync::CancellationToken;

use crate::{
    Edge,
    config::milliseconds,
    object::Object,
    reply::{How, Payload, Ready, Reply},
    serve::Ask,
};
use parse::{Parsed, Request, parse};
pub use rewound::Rewound;
use send::Sender;
pub use threads::Lanes;
pub use visitors::{Visit, Visitors};

/// Room for a request's head; a longer one is not for the lane.
const ROOM: usize = 8 << 10;

/// How long a connection stays after it was said that all shall end: closed at once, it would meet requests on their way.
pub const LINGER: Duration = Duration::from_secs(2);

/// What became of a connection.
enum Next {
    Another,
    /// Not for the lane.
    Odd,
    Close,
}

impl Edge {
    /// Serves a connection for as long as its requests are plain ones for media, and gives back one on which something else
    /// was sent, with what was read of it. `None` when it is over. After `stop` no further request is waited for.
    async fn ride(&self, mut stream: TcpStream, stop: &CancellationToken) -> Option<(TcpStream, BytesMut)> {
        let clients = &self.0.config.clients;
        let peer = stream.peer_addr().ok()?.ip();
        let mut buffer = BytesMut::with_capacity(ROOM);
        // An own token for each connection: waiting on it concerns no other.
        let stop = stop.child_token();
        let mut stopping = std::pin::pin!(stop.cancelled());
        let mut patience = milliseconds(clients.head_ms);
        let mut lingering = false;
        let (mut since, mut begun) = (Instant::now(), None);
        // One alarm for the whole connection, set anew only when it goes off.
        let mut alarm = std::pin::pin!(tokio::time::sleep(patience));
        loop {
            match self.take(&stream, peer, &mut buffer, &stop).await {
                Ok(Next::Another) => {}
                Ok(Next::Odd) => return Some((stream, buffer)),
                Ok(Next::Close) | Err(_) => return None,
            }
            // A head's time begins with its first byte, a silence with the end of the last answer.
            if buffer.is_empty() || begun.is_none() {
                begun = (!buffer.is_empty()).then(Instant::now);
                since = Instant::now();
            }
            loop {
                buffer.reserve(ROOM - buffer.len());
                tokio::select! {
                    biased;
                    read = stream.read_buf(&mut buffer) => match read {
                        Ok(0) | Err(_) => return None,
                        Ok(_) => break,
                    },
                    () = &mut alarm => {
                        let waited = since.elapsed();
                        if waited >= patience {
                            return None;
                        }
                        alarm.as_mut().reset(tokio::time::Instant::now() + (patience - waited));
                    }
                    // A request may be on its way already: it is answered, and told that it was the last.
                    () = &mut stopping, if !lingering => {
                        (lingering, since) = (true, Instant::now());
                        patience = patience.min(LINGER);
                        alarm.as_mut().reset(tokio::time::Instant::now() + patience);
                    }
                }
            }
        }
    }

    /// Answers every whole request in the buffer.
    async fn take(
        &self,
        stream: &TcpStream,
        peer: IpAddr,
        buffer: &mut BytesMut,
        stop: &CancellationToken,
    ) -> io::Result<Next> {
        while !buffer.is_empty() {
            let request = match parse(buffer) {
                Parsed::Ours(request) => request,
                Parsed::Partial if buffer.len() < ROOM => break,
                Parsed::Partial | Parsed::Other => return Ok(Next::Odd),
            };
            let length = request.head.len();
            // Those that came together are all answered.
            let last = stop.is_cancelled() && buffer.len() == length;
            if let Next::Close = self.answer_one(stream, peer, request, last).await? {
                return Ok(Next::Close);
            }
            buffer.advance(length);
            if last {
                return Ok(Next::Close);
            }
        }
        Ok(Next::Another)
    }

    async fn answer_one(
        &self,
        stream: &TcpStream,
        peer: IpAddr,
        request: Request<'_>,
        last: bool,
    ) -> io::Result<Next> {
        let mut sender = Sender::new(stream, &self.0.config.clients, last);
        if request.plain {
            let at_hand = || self.at_hand(request.path, request.query, request.gzip);
            let found = match at_hand() {
                Some(found) => Some((found, How::Hit)),
                None => match self.awaited(request.path, request.query, request.gzip) {
                    Some(key) if self.landing(&key).await => at_hand().map(|found| (found, How::Coalesced)),
                    _ => None,
                },
            };
            if let Some(((object, ready), how)) = found {
                self.send_held(&mut sender, &object, ready, (how, request.head_only)).await?;
                return Ok(Next::Another);
            }
        }
        let headers = &request.headers();
        let Request { head_only, path, query, .. } = request;
        let reply = self.answer(Ask { head_only, path, query, headers, peer }).await;
        send_reply(&mut sender, reply, head_only).await
    }

    async fn send_held(
        &self,
        sender: &mut Sender<'_>,
        object: &Object,
        ready: Ready,
        (how, head_only): (How, bool),
    ) -> io::Result<()> {
        let began = Instant::now();
        let head = object.written.get_or_init(|| lasting_head(object));
        let mut changing = [0; 160];
        let room = changing.len();
        let mut left = &mut changing[..];
        let age = object.freshness.age_s(self.0.clock.now()).to_string();
        let status = self.0.statuses.of(how).as_bytes();
        for part in
            [&b"age: "[..], age.as_bytes(), b"\r\ncache-status: ", status, b"\r\n", sender.end_of_head()]
        {
            left.write_all(part)?;
        }
        let length = room - left.len();
        let changing = &changing[..length];
        let sent = if head_only { 0 } else { object.length };
        self.0.measure.answered(how, sent, began.elapsed());
        match ready {
            _ if head_only => sender.write([head, changing]).await,
            Ready::Memory(body) => sender.write([head, changing, &body]).await,
            Ready::File(file) => {
                sender.write_more(&[head, changing].concat()).await?;
                sender.write_file(&file, 0..object.length).await
            }
        }
    }
}

/// The head of a whole answer up to what changes with time. As [`Reply`] has it.
fn lasting_head(object: &Object) -> Bytes {
    let mut headers = object.head.headers.clone();
    headers.append(header::CONTENT_LENGTH, HeaderValue::from(object.length));
    headers.append(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let mut out = Vec::with_capacity(1024);
    write_head(&mut out, object.head.status, &headers);
    out.into()
}

/// RFC 9112 §4, §5.
fn write_head(out: &mut Vec<u8>, status: StatusCode, headers: &HeaderMap) {
    let reason = status.canonical_reason().unwrap_or("<none>");
    for part in ["HTTP/1.1 ", status.as_str(), " ", reason, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}

async fn send_reply(sender: &mut Sender<'_>, reply: Reply, head_only: bool) -> io::Result<Next> {
    let mut head = Vec::with_capacity(1024);
    write_head(&mut head, reply.status, &reply.headers);
    let chunked =
        !reply.headers.contains_key(header::CONTENT_LENGTH) && reply.status != StatusCode::NOT_MODIFIED;
    if chunked {
        head.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    head.extend_from_slice(sender.end_of_head());
    match reply.payload {
        Payload::Nothing => sender.write([&head]).await?,
        Payload::Memory(body) => sender.write([&head, &body]).await?,
        Payload::File(file, range) => {
            sender.write_more(&head).await?;
            sender.write_file(&file, range).await?;
        }
        Payload::Flight(_) if head_only => sender.write([&head]).await?,
        Payload::Flight(mut reader) => {
            // It goes with the first piece: thousands may have waited for what is one piece.
            let mut head = Some(head);
            while let Some(piece) = reader.next().await {
                // Broken: the client must not take what it has for the whole.
                let Ok(piece) = piece else { return Ok(Next::Close) };
                let head = head.take().unwrap_or_default();
                if chunked {
                    let size = format!("{:X}\r\n", piece.len());
                    sender.write([&head, size.as_bytes(), &piece, b"\r\n"]).await?;
                } else {
                    sender.write([&head, &piece]).await?;
                }
            }
            let end: &[u8] = if chunked { b"0\r\n\r\n" } else { b"" };
            sender.write([&head.unwrap_or_default(), end]).await?;
        }
    }
    Ok(Next::Another)
}

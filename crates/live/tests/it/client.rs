//! A publisher that does as it is told, also what publishers should not do.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use live::rtmp::chunk::{self, Limits, Message, Reader, write};
use media::flv::amf::{self, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::house::SOON;

pub struct Client {
    stream: TcpStream,
    input: BytesMut,
    reader: Reader,
}

pub fn message(kind: u8, time: u32, body: &[u8]) -> Message {
    Message { kind, stream: 1, time, body: Bytes::copy_from_slice(body) }
}

fn call(name: &str, transaction: f64, rest: &[Value]) -> Message {
    let mut body = Vec::new();
    amf::write(&mut body, &Value::text(name));
    amf::write(&mut body, &Value::Number(transaction));
    rest.iter().for_each(|value| amf::write(&mut body, value));
    message(chunk::COMMAND, 0, &body)
}

impl Client {
    /// Connects and asks to publish.
    pub async fn knock(address: SocketAddr, key: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[&[3][..], &[0; 1536]].concat()).await.unwrap();
        let mut answer = [0; 3073];
        stream.read_exact(&mut answer).await.unwrap();
        stream.write_all(&answer[1..1537]).await.unwrap();
        let limits = Limits { media: 1 << 20, other: 1 << 20, partial: 1 << 20, streams: 64 };
        let mut client = Self { stream, input: BytesMut::new(), reader: Reader::new(limits) };
        client.send(&call("connect", 1.0, &[Value::object([("app", Value::text("live"))])])).await;
        client.send(&call("createStream", 2.0, &[Value::Null])).await;
        client.send(&call("publish", 3.0, &[Value::Null, Value::text(key), Value::text("live")])).await;
        client
    }

    /// The same, and is let in.
    pub async fn publish(address: SocketAddr, key: &str) -> Self {
        let mut client = Self::knock(address, key).await;
        assert_eq!(client.status().await.unwrap().0, "NetStream.Publish.Start");
        client
    }

    pub async fn send(&mut self, message: &Message) {
        let mut out = Vec::new();
        write(&mut out, 4, message, 128);
        self.raw(&out).await.unwrap();
    }

    pub async fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Code and words of the next status; `None` at the end of the connection.
    pub async fn status(&mut self) -> Option<(String, String)> {
        loop {
            while let Some(message) = self.reader.next(&mut self.input).unwrap() {
                if message.kind == chunk::SET_CHUNK_SIZE {
                    let size = u32::from_be_bytes(message.body[..4].try_into().unwrap());
                    self.reader.set_chunk_size(size).unwrap();
                }
                if message.kind != chunk::COMMAND {
                    continue;
                }
                let values = amf::read_all(&message.body).unwrap();
                if values[0].as_text() == Some("onStatus") {
                    let text = |name| values[3].get(name).and_then(Value::as_text).unwrap().to_owned();
                    return Some((text("code"), text("description")));
                }
            }
            if timeout(SOON, self.stream.read_buf(&mut self.input)).await.unwrap().unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// A stream of sound: what it is made of, then `count` frames of `size` bytes, 20 ms apart from `time` on.
    pub async fn sound(&mut self, time: u32, count: u32, size: usize) {
        self.send(&message(chunk::AUDIO, time, &[0xaf, 0, 0x11, 0x90])).await;
        for n in 0..count {
            let body = [&[0xaf, 1][..], &vec![n as u8; size]].concat();
            self.send(&message(chunk::AUDIO, time.wrapping_add(n * 20), &body)).await;
        }
    }
}

//! A private S3 service (moto) for this crate's tests: the one named by `KINORA_TEST_S3`, or one of our own that ends
//! with the test process.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

static SERVER: OnceLock<(String, Option<Child>)> = OnceLock::new();

/// Address of the service, started when it is first asked for.
pub fn endpoint() -> &'static str {
    &SERVER.get_or_init(start).0
}

fn start() -> (String, Option<Child>) {
    if let Ok(endpoint) = std::env::var("KINORA_TEST_S3") {
        return (endpoint, None);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/test-servers.sh");
    // It stops when its input ends, which is when this process does.
    let mut child =
        Command::new(script).arg("s3").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect(script);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let endpoint =
        line.trim().strip_prefix("KINORA_TEST_S3=").expect("the script tells the address").to_owned();
    (endpoint, Some(child))
}

/// Makes an empty bucket and gives its name.
pub fn fresh_bucket() -> String {
    let bucket = format!("test-{}", uuid::Uuid::now_v7().simple());
    let answer = request("PUT", &format!("/{bucket}"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    bucket
}

/// Objects and unfinished multipart uploads in the bucket of an `s3://` URL.
pub fn count_everything(url: &str) -> usize {
    let bucket = url.trim_start_matches("s3://").split('/').next().unwrap();
    let count = |path: &str, tag: &str| request("GET", path).matches(tag).count();
    count(&format!("/{bucket}?list-type=2"), "<Contents>") + count(&format!("/{bucket}?uploads"), "<Upload>")
}

fn request(method: &str, path: &str) -> String {
    let host = endpoint().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

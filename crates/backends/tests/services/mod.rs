//! Private services for this crate's tests: those named by `KINORA_TEST_S3`, `KINORA_TEST_GCS`, `KINORA_TEST_AZURE`,
//! `KINORA_TEST_NATS`, `KINORA_TEST_REDIS`, or ones of our own that end with the test process.

// Not every test binary uses every service.
#![allow(dead_code)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use backends::blob::{self, Config};

/// The key of azurite's only account: public, the same everywhere.
const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

type Server = OnceLock<(String, Option<Child>)>;

static S3: Server = OnceLock::new();
static GCS: Server = OnceLock::new();
static AZURE: Server = OnceLock::new();
static NATS: Server = OnceLock::new();
static REDIS: Server = OnceLock::new();

fn endpoint(server: &'static Server, kind: &str) -> &'static str {
    &server.get_or_init(|| start(kind)).0
}

fn start(kind: &str) -> (String, Option<Child>) {
    let variable = format!("KINORA_TEST_{}", kind.to_uppercase());
    if let Ok(endpoint) = std::env::var(&variable) {
        return (endpoint, None);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/test-servers.sh");
    // It stops when its input ends, which is when this process does.
    let mut child =
        Command::new(script).arg(kind).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect(script);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let endpoint = line.trim().strip_prefix(&format!("{variable}=")).expect("the script tells the address");
    (endpoint.to_owned(), Some(child))
}

/// The address of a NATS server, `nats://127.0.0.1:PORT`.
pub fn nats() -> &'static str {
    endpoint(&NATS, "nats")
}

/// The address of a Redis server.
pub fn redis() -> &'static str {
    endpoint(&REDIS, "redis")
}

/// An empty place in an S3-compatible service.
pub fn s3() -> Config {
    let endpoint = endpoint(&S3, "s3");
    Config {
        url: format!("s3://{}/some/prefix", fresh_bucket(endpoint, SIGNED)),
        s3: blob::S3 {
            endpoint: Some(endpoint.to_owned()),
            access_key_id: Some("test".into()),
            secret_access_key: Some("test".into()),
            allow_http: true,
            ..blob::S3::default()
        },
        ..Config::default()
    }
}

/// An empty place in Google Cloud Storage.
pub fn gcs() -> Config {
    let endpoint = endpoint(&GCS, "gcs");
    Config {
        url: format!("gs://{}/some/prefix", fresh_bucket(endpoint, "Bearer ")),
        gcs: blob::Gcs { endpoint: Some(endpoint.to_owned()), anonymous: true, ..blob::Gcs::default() },
        ..Config::default()
    }
}

/// An empty place in Azure Blob Storage: a folder of the one container that is there.
pub fn azure() -> Config {
    Config {
        url: format!("az://kinora/test-{}", uuid::Uuid::now_v7().simple()),
        azure: blob::Azure {
            account: Some("devstoreaccount1".into()),
            endpoint: Some(endpoint(&AZURE, "azure").to_owned()),
            access_key: Some(AZURE_KEY.into()),
            ..blob::Azure::default()
        },
        ..Config::default()
    }
}

const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

fn fresh_bucket(endpoint: &str, authorization: &str) -> String {
    let bucket = format!("test-{}", uuid::Uuid::now_v7().simple());
    let answer = request("PUT", &format!("{endpoint}/{bucket}"), authorization);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    bucket
}

/// Objects, unfinished multipart uploads and blocks of nothing in the place of a configuration.
pub fn count_everything(config: &Config) -> usize {
    let (scheme, place) = config.url.split_once("://").unwrap();
    let (bucket, prefix) = place.split_once('/').unwrap();
    if scheme == "az" {
        let query = format!("restype=container&comp=list&include=uncommittedblobs&prefix={prefix}");
        let answer = request("GET", &format!("{}/{bucket}?{query}", endpoint(&AZURE, "azure")), "");
        assert!(answer.contains("<EnumerationResults"), "{answer}");
        return answer.matches("<Blob>").count();
    }
    let (endpoint, authorization) =
        if scheme == "gs" { (endpoint(&GCS, "gcs"), "Bearer ") } else { (endpoint(&S3, "s3"), SIGNED) };
    let count = |path: &str, element: &str, tag: &str| {
        let answer = request("GET", &format!("{endpoint}{path}"), authorization);
        assert!(answer.contains(element), "{answer}");
        answer.matches(tag).count()
    };
    count(&format!("/{bucket}?list-type=2"), "<ListBucketResult", "<Contents>")
        + count(&format!("/{bucket}?uploads"), "<ListMultipartUploadsResult", "<Upload>")
}

fn request(method: &str, url: &str, authorization: &str) -> String {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let authorization =
        if authorization.is_empty() { String::new() } else { format!("Authorization: {authorization}\r\n") };
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{authorization}x-ms-version: 2021-08-06\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

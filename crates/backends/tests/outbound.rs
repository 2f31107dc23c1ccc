//! Requests to foreign addresses against everything that would lead them inside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use backends::outbound::{Error, HeaderMap, Lookup, Outbound, Policy, Refused, Timing};
use futures::TryStreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use url::Url;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));

fn timing() -> Timing {
    Timing { connect: Duration::from_millis(500), silence: Duration::from_secs(5) }
}

/// A server on the loopback that answers every request with `answer` and counts connections.
async fn inner_server(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer.replace("PORT", &port.to_string()).as_bytes()).await;
            });
        }
    });
    (port, count)
}

/// Names that have these addresses, one list for each time they are asked; the last one stays.
fn stub(answers: Vec<Vec<IpAddr>>) -> Lookup {
    let asked = Arc::new(AtomicUsize::new(0));
    Arc::new(move |_| {
        let at = asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let found = answers[at].clone();
        Box::pin(async move { Ok(found) })
    })
}

fn client(ports: Vec<u16>, lookup: Lookup) -> Outbound {
    Outbound::with_lookup(Policy { allow: Vec::new(), ports }, timing(), lookup).unwrap()
}

async fn get(client: &Outbound, url: &str) -> Result<String, Error> {
    let url = Url::parse(url).map_err(|_| Error::Refused(Refused::Host))?;
    let answer = client.get(&url, &HeaderMap::new(), 5).await?;
    let pieces: Vec<_> = answer.body.try_collect().await?;
    Ok(String::from_utf8_lossy(&pieces.concat()).into_owned())
}

#[tokio::test]
async fn no_notation_of_an_inner_address_is_asked() {
    let (port, count) = inner_server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
    let client = client(Vec::new(), stub(vec![vec![LOOPBACK]]));
    let hosts = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "127。0。0。1",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "10.0.0.1",
        "10.1",
        "172.16.0.1",
        "192.168.0.1",
        "192.168.257",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "169.254.43518",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "inner.example",
        "metadata.google.internal",
    ];
    assert!(hosts.len() >= 40);
    for host in hosts {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/latest/meta-data/");
            let refused = get(&client, &url).await;
            assert!(
                matches!(refused, Err(Error::Refused(Refused::Private | Refused::Host))),
                "{url}: {refused:?}"
            );
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 0, "nobody was asked");
}

#[tokio::test]
async fn other_schemes_ports_and_credentials_are_refused() {
    let client = client(vec![80, 443], stub(vec![vec![PUBLIC]]));
    for (url, why) in [
        ("file:///etc/passwd", Refused::Scheme),
        ("ftp://example.org/film.mp4", Refused::Scheme),
        ("gopher://example.org/_x", Refused::Scheme),
        ("data:video/mp4;base64,AAAA", Refused::Scheme),
        ("javascript:alert(1)", Refused::Scheme),
        ("http://example.org:22/", Refused::Port(22)),
        ("http://example.org:6379/", Refused::Port(6379)),
        ("https://example.org:25/", Refused::Port(25)),
        ("http://user@example.org/", Refused::Credentials),
        ("http://user:secret@example.org/", Refused::Credentials),
        ("http://example.org%40127.0.0.1/", Refused::Host),
        ("http://", Refused::Host),
    ] {
        let refused = get(&client, url).await;
        assert!(matches!(&refused, Err(Error::Refused(told)) if *told == why), "{url}: {refused:?}");
        assert!(!format!("{refused:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let (port, count) = inner_server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
    // Public when it is looked at; inner when it is asked again; and both at once.
    for answers in [
        vec![vec![PUBLIC], vec![LOOPBACK]],
        vec![vec![LOOPBACK], vec![PUBLIC]],
        vec![vec![PUBLIC, LOOPBACK]],
        vec![vec![PUBLIC, "::1".parse().unwrap()]],
        vec![vec!["::ffff:127.0.0.1".parse().unwrap()]],
    ] {
        let client = client(Vec::new(), stub(answers.clone()));
        for _ in 0..3 {
            let answer = get(&client, &format!("http://rebind.example:{port}/")).await;
            assert!(answer.is_err(), "{answers:?}: {answer:?}");
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 0, "no connection went inside");
}

#[tokio::test]
async fn each_redirect_is_looked_at() {
    let allow = |text: &str| vec![domain::Network::try_from(text.to_owned()).unwrap()];
    for (answer, wanted) in [
        (
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/\r\ncontent-length: 0\r\n\r\n",
            Refused::Private,
        ),
        ("HTTP/1.1 301 Moved\r\nlocation: http://[::1]:PORT/\r\ncontent-length: 0\r\n\r\n", Refused::Private),
        ("HTTP/1.1 307 Moved\r\nlocation: //2130706434:PORT/\r\ncontent-length: 0\r\n\r\n", Refused::Private),
        ("HTTP/1.1 308 Moved\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n", Refused::Scheme),
        (
            "HTTP/1.1 303 Other\r\nlocation: http://u:p@127.0.0.1:PORT/\r\ncontent-length: 0\r\n\r\n",
            Refused::Credentials,
        ),
    ] {
        let (port, _) = inner_server(answer).await;
        // This one address is let through, as an operator may; where it sends us is not.
        let policy = Policy { allow: allow("127.0.0.1/32"), ports: Vec::new() };
        let client = Outbound::with_lookup(policy, timing(), stub(vec![vec![LOOPBACK]])).unwrap();
        let refused = get(&client, &format!("http://127.0.0.1:{port}/film.mp4")).await;
        assert!(matches!(&refused, Err(Error::Refused(told)) if *told == wanted), "{answer}: {refused:?}");
    }
    let (port, count) = inner_server(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:PORT/again\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let policy = Policy { allow: allow("127.0.0.0/8"), ports: Vec::new() };
    let client = Outbound::with_lookup(policy, timing(), stub(vec![vec![LOOPBACK]])).unwrap();
    assert!(matches!(get(&client, &format!("http://127.0.0.1:{port}/")).await, Err(Error::Redirects)));
    assert_eq!(count.load(Ordering::SeqCst), 6, "the first and five redirects");
}

#[tokio::test]
async fn an_operator_may_allow_a_network() {
    let (port, _) = inner_server("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfilm").await;
    let network = domain::Network::try_from("127.0.0.0/8".to_owned()).unwrap();
    let policy = Policy { allow: vec![network], ports: vec![port] };
    let client = Outbound::with_lookup(policy, timing(), stub(vec![vec![LOOPBACK]])).unwrap();
    assert_eq!(get(&client, &format!("http://inner.example:{port}/")).await.unwrap(), "film");
    assert_eq!(get(&client, &format!("http://127.0.0.1:{port}/")).await.unwrap(), "film");
    let other = get(&client, "http://10.0.0.1/").await;
    assert!(matches!(other, Err(Error::Refused(Refused::Port(80)))), "{other:?}");
}

#[tokio::test]
async fn errors_keep_secrets_to_themselves() {
    let network = domain::Network::try_from("127.0.0.0/8".to_owned()).unwrap();
    let policy = Policy { allow: vec![network], ports: Vec::new() };
    let client = Outbound::new(policy, timing()).unwrap();
    // Nobody listens there.
    let error = get(&client, "http://127.0.0.1:1/film.mp4?X-Amz-Signature=topsecret").await.unwrap_err();
    assert!(error.is_transient() && !error.to_string().contains("topsecret"), "{error}");
}

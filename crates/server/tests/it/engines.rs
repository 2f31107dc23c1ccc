//! The engines below a Kinora, and the real program in processes of its own on them: what survives a death, and what dies.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use backends::{
    blob::{self, Blobs},
    bus, cache,
};
use domain::ladder::Rung;
use server::config::{Config, Role};

/// Runs each test on both pairs of engines: `on_both_engines!(name, …)` for `async fn name(engines: Engines)`.
#[macro_export]
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite_and_directory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::engines::Engines::embedded()).await; })+
        }
        mod postgres_and_s3 {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::engines::Engines::cluster().await).await; })+
        }
    };
}

/// Rungs for test films of 160×90: quick to encode, and more than one.
const LADDER: [(u32, u32); 2] = [(90, 400_000), (46, 120_000)];

/// A throw-away database, objects and a data directory. Cheap to clone; removed with the last clone.
#[derive(Clone)]
pub struct Engines(Arc<Inner>);

struct Inner {
    database: testkit::Database,
    blobs: blob::Config,
    bus: bus::Config,
    cache: cache::Config,
    dir: tempfile::TempDir,
}

impl Engines {
    pub fn embedded() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let blobs = blob::Config {
            url: format!("file:{}", dir.path().join("blobs").display()),
            ..Default::default()
        };
        Self::new(testkit::sqlite().unwrap(), blobs, (bus::Config::default(), cache::Config::default()), dir)
    }

    pub async fn cluster() -> Self {
        let (database, bucket) = (testkit::postgres().await.unwrap(), testkit::s3().await.unwrap());
        let shared = (testkit::nats().await.unwrap(), testkit::redis().await.unwrap());
        Self::new(database, bucket.config("house"), shared, tempfile::tempdir().unwrap())
    }

    fn new(
        database: testkit::Database,
        blobs: blob::Config,
        (bus, cache): (bus::Config, cache::Config),
        dir: tempfile::TempDir,
    ) -> Self {
        let rungs = LADDER
            .map(|(height, bps)| format!("[[encoding.ladder]]\nheight = {height}\nbitrate_bps = {bps}\n"));
        std::fs::write(dir.path().join("kinora.toml"), rungs.concat()).unwrap();
        Self(Arc::new(Inner { database, blobs, bus, cache, dir }))
    }

    /// The same, with all objects encrypted under `key`. Before the first clone.
    pub fn encrypted(self, key: &str) -> Self {
        let mut inner = Arc::into_inner(self.0).unwrap();
        inner.blobs.encryption_key = Some(key.into());
        inner.blobs.encryption_required = true;
        Self(Arc::new(inner))
    }

    /// The same, with a bus that never answers. Before the first clone.
    pub fn bus_away(self) -> Self {
        let mut inner = Arc::into_inner(self.0).unwrap();
        // Nobody listens on the port for multiplexing.
        inner.bus.url = "nats://127.0.0.1:1".into();
        Self(Arc::new(inner))
    }

    /// The same, with a cache that never answers. Before the first clone.
    pub fn cache_away(self) -> Self {
        let mut inner = Arc::into_inner(self.0).unwrap();
        inner.cache.url = "redis://127.0.0.1:1".into();
        Self(Arc::new(inner))
    }

    pub fn blobs_config(&self) -> &blob::Config {
        &self.0.blobs
    }

    pub fn dir(&self) -> &Path {
        self.0.dir.path()
    }

    /// The configuration of a process in this process.
    pub fn config(&self, roles: &[Role]) -> Config {
        let mut config = Config { data_dir: self.dir().to_owned(), ..Config::default() };
        config.database = self.0.database.config();
        config.blob = self.0.blobs.clone();
        config.bus = self.0.bus.clone();
        config.cache = self.0.cache.clone();
        config.roles = roles.iter().copied().collect();
        config.http.listen = ([127, 0, 0, 1], 0).into();
        config.encoding.work_dir = self.dir().join("work");
        config.edge.dir = self.dir().join("edge");
        config.encoding.ladder = LADDER.map(|(height, bitrate_bps)| Rung { height, bitrate_bps }).to_vec();
        config
    }

    pub async fn store(&self) -> store::Store {
        self.0.database.store().await.unwrap()
    }

    pub fn blobs(&self) -> Blobs {
        Blobs::open(&self.0.blobs).unwrap()
    }

    /// The program, told where its engines are.
    pub fn command(&self) -> Command {
        let mut command = self.command_without_database();
        command.env("KINORA_DATABASE__URL", &self.0.database.url);
        command.envs(self.bus_environment());
        command.env("KINORA_CACHE__URL", &self.0.cache.url).env("KINORA_CACHE__PREFIX", &self.0.cache.prefix);
        command
    }

    /// Where the bus is.
    pub fn bus_environment(&self) -> [(&'static str, &str); 2] {
        [("KINORA_BUS__URL", &self.0.bus.url), ("KINORA_BUS__PREFIX", &self.0.bus.prefix)]
    }

    /// The program, told of its objects alone.
    pub fn command_without_database(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinora"));
        command.current_dir(self.dir()).env("KINORA_DATA_DIR", self.dir());
        command.env("KINORA_BLOB__URL", &self.0.blobs.url);
        let s3 = &self.0.blobs.s3;
        if let (Some(endpoint), Some(key), Some(secret)) =
            (&s3.endpoint, &s3.access_key_id, &s3.secret_access_key)
        {
            command.env("KINORA_BLOB__S3__ENDPOINT", endpoint).env("KINORA_BLOB__S3__ALLOW_HTTP", "true");
            command
                .env("KINORA_BLOB__S3__ACCESS_KEY_ID", key)
                .env("KINORA_BLOB__S3__SECRET_ACCESS_KEY", secret);
        }
        command
    }

    /// An administrator's API token, made by command line.
    pub fn token(&self) -> String {
        let output = self.command().args(["admin", "token"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
    }

    /// Starts the program with `roles` and waits until it accepts requests.
    pub fn start(&self, roles: &str) -> Process {
        Process::start(self.command(), roles)
    }
}

/// The program at work; killed when dropped.
pub struct Process {
    child: Child,
    pub base: String,
    log: Arc<Mutex<String>>,
}

impl Process {
    pub fn start(command: Command, roles: &str) -> Self {
        let mut process = Self::spawn(command, roles);
        process.base = process.ready().unwrap_or_else(|| panic!("the server ended: {}", process.log()));
        process
    }

    /// Starts the program without waiting for it: it may be meant to die at once.
    pub fn spawn(command: Command, roles: &str) -> Self {
        Self::spawn_at(command, roles, "127.0.0.1:0", &[])
    }

    /// At an address of its own, with more flags.
    pub fn spawn_at(mut command: Command, roles: &str, listen: &str, flags: &[&str]) -> Self {
        let child = command
            .args(["serve", "--roles", roles, "--listen", listen])
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut process = Self { child, base: String::new(), log: Arc::default() };
        let lines = BufReader::new(process.child.stderr.take().unwrap()).lines();
        let log = process.log.clone();
        // Its pipe must not fill up.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                log.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        process
    }

    /// Waits until it says where it listens.
    pub fn ready(&mut self) -> Option<String> {
        loop {
            let log = self.log();
            if let Some((_, rest)) =
                log.split_once("Kinora is ready").and_then(|(_, rest)| rest.split_once("http://"))
                && rest.contains('\n')
            {
                return Some(format!("http://{}", rest.split(['/', ' ', '\n']).next().unwrap()));
            }
            if self.child.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Any signal by its name: `STOP`, `CONT`…
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Waits for its end by itself.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let wait = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(within, wait).await {
            Ok(status) => status,
            Err(_) => panic!("still running after {within:?}: {}", self.log()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

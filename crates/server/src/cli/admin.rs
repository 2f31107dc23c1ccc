//! `kinora admin`: work on the database of this machine, with or without a running server.

use std::{io::BufRead, path::PathBuf};

use anyhow::{Context, bail};
use app::{App, accounts::service::Application};
use backends::{blob::Blobs, bus::Bus, cache::Cache, clock::Clock};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};
use domain::{Role, Scope};
use store::{Store, users};

use super::{Settings, demo, doctor};
use crate::{config::Config, private, serve};

#[derive(Subcommand)]
pub enum Command {
    /// Make an account; the password is read from standard input, or made up and printed when there is none
    CreateUser {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// viewer, creator or admin
        #[arg(long, default_value = "creator")]
        role: Role,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give an account another role
    Grant {
        #[command(flatten)]
        place: Place,
        /// The account's address
        email: String,
        /// viewer, creator or admin
        role: Role,
    },
    /// Print an API token of an administrator, alone on the last line
    Token {
        #[command(flatten)]
        place: Place,
        /// What the token is for
        #[arg(long, default_value = "command line")]
        name: String,
        /// read, upload, manage, admin, with commas between
        #[arg(long, value_delimiter = ',', default_value = "read,upload,manage,admin")]
        scopes: Vec<Scope>,
        /// Days until it expires
        #[arg(long, default_value_t = 365)]
        days: u32,
    },
    /// Check that everything that Kinora needs is there and works
    Doctor {
        #[command(flatten)]
        place: Place,
    },
    /// Put a film clip into an empty library, so that there is something to watch
    #[command(hide = true)]
    Demo {
        #[command(flatten)]
        place: Place,
        clip: PathBuf,
    },
}

/// Which instance is meant.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Configuration file; without it kinora.toml where there is one
    #[arg(long, env = "KINORA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Place {
    pub(super) fn load(&self) -> anyhow::Result<Config> {
        Settings { config: self.config.clone(), data: self.data.clone(), ..Settings::default() }.load()
    }

    /// The application without a listener.
    pub(super) async fn open(&self) -> anyhow::Result<(Config, App)> {
        let config = self.load()?;
        private::directory(&config.data_dir).with_context(|| format!("{}", config.data_dir.display()))?;
        if let Some(path) = config.sqlite_path() {
            private::file(path).with_context(|| format!("{}", path.display()))?;
            crate::machine::claim(path)?;
        }
        let blobs = Blobs::open(&config.blob)?;
        let store = Store::connect(&config.database).await?;
        let (bus, cache) = (Bus::open(&config.bus).await?, Cache::open(&config.cache)?);
        let app = serve::start_app(&config, &store, &blobs, &bus, cache, &Clock::system()).await?;
        Ok((config, app))
    }
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::CreateUser { place, email, name, role, password_stdin } => {
            let (_, app) = place.open().await?;
            create_user(&app, email, name, role, password_stdin).await?;
            app.store.close().await;
        }
        Command::Grant { place, email, role } => {
            let (_, app) = place.open().await?;
            grant(&app, &email, role).await?;
            app.store.close().await;
        }
        Command::Token { place, name, scopes, days } => {
            let (_, app) = place.open().await?;
            let user = app.administrator().await?;
            let (token, _) = app.create_token(user.id, &name, &scopes, Some(days)).await?;
            app.store.close().await;
            eprintln!("An API token of {} ({}), good for {days} days:", user.name, user.email);
            println!("{token}");
        }
        Command::Doctor { place } => doctor::run(&place).await?,
        Command::Demo { place, clip } => demo::run(&place, &clip).await?,
    }
    Ok(())
}

async fn create_user(app: &App, email: String, name: String, role: Role, stdin: bool) -> anyhow::Result<()> {
    let password = if stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        URL_SAFE_NO_PAD.encode(rand::random::<[u8; 15]>())
    };
    let user = app.create_user(Application { email, name, password: password.clone(), role }).await?;
    println!("Created {} <{}>, {}.", user.name, user.email, user.role);
    if !stdin {
        println!("Password: {password}");
    }
    Ok(())
}

async fn grant(app: &App, email: &str, role: Role) -> anyhow::Result<()> {
    let mut tx = app.store.begin().await?;
    let Some(user) = users::by_email(&mut tx, &email.trim().to_lowercase()).await? else {
        bail!("there is no account with the address {email}");
    };
    let change = users::Edit { role: Some(role), ..users::Edit::default() };
    match users::edit(&mut tx, user.id, &change, app.clock.now()).await {
        Err(store::Error::Conflict(_)) => bail!("somebody has to remain administrator"),
        done => done?,
    };
    tx.commit().await?;
    println!("{} <{}> is now {role}.", user.name, user.email);
    Ok(())
}

//! The command line.

mod admin;
mod check;
mod demo;
mod doctor;
mod event;
mod import;
mod serve;
mod upload;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::{self, Config, Overrides},
    logs, openapi,
};

/// A streaming platform in one program.
#[derive(Parser)]
#[command(name = "kinora", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start this process's roles and serve until SIGTERM or Ctrl-C
    Serve(serve::Args),
    /// Send a video file to a server, or what is missing of it
    Upload(upload::Args),
    /// Check an HLS or DASH presentation against its standards
    Check(check::Args),
    /// Have a server fetch a video file from a link
    Import(import::Args),
    /// Plan live events, show their keys, end them
    Event(event::Args),
    /// Print the effective configuration as TOML, without secrets
    Config(Settings),
    /// Work on the database of this machine directly
    Admin {
        #[command(subcommand)]
        command: admin::Command,
    },
    /// Print the OpenAPI document
    #[command(hide = true)]
    Openapi,
}

/// Flags that override the configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// Configuration file; without it kinora.toml where there is one
    #[arg(long, env = "KINORA_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What this process does: api, worker, origin, with commas between
    #[arg(long, value_name = "ROLES")]
    pub roles: Option<String>,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Where everything is kept
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Settings {
    fn load(&self) -> anyhow::Result<Config> {
        config::load(&Overrides {
            file: self.config.clone(),
            data_dir: self.data.clone(),
            roles: self.roles.clone(),
            listen: self.listen.clone(),
        })
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kinora: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(args) => {
            let config = args.settings.load()?;
            logs::start(&config.log)?;
            runtime()?.block_on(serve::run(config, args.take_over))?;
        }
        Command::Upload(args) => return Ok(runtime()?.block_on(upload::run(args))),
        Command::Check(args) => return Ok(runtime()?.block_on(check::run(args))),
        Command::Import(args) => return Ok(runtime()?.block_on(import::run(args))),
        Command::Event(args) => return Ok(runtime()?.block_on(event::run(args))),
        Command::Config(settings) => print!("{}", settings.load()?.to_toml()?),
        Command::Admin { command } => runtime()?.block_on(admin::run(command))?,
        Command::Openapi => println!("{}", serde_json::to_string_pretty(&openapi::document())?),
    }
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

//! Accounts: first-run set-up, sign-in, sessions, API tokens, administration of people.
//!
//! Secrets are 256 random bits; only their SHA-256 is stored. Passwords are argon2id. Sign-in is limited by address and by
//! account, and answers and takes as long for an account that does not exist as for a wrong password.

mod limits;
mod middleware;
mod password;
pub mod people;
pub mod routes;
mod secret;
pub mod service;
pub mod tokens;
mod view;

pub use limits::SignInLimits;
pub use middleware::{authenticate, metrics_principal};
pub use password::Passwords;
pub use view::User;

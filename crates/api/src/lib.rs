//! What every HTTP face of Kinora shares: problems, principals, bodies, paging, conditional requests, rate limits.
//!
//! Knows neither the store nor any feature: who a request belongs to is put into its extensions by `app::accounts`.

pub mod accept;
pub mod address;
pub mod body;
pub mod conditional;
pub mod cookie;
pub mod cors;
pub mod digest;
pub mod etag;
pub mod page;
pub mod principal;
pub mod problem;
pub mod rate_limit;
pub mod text;
pub mod time;

pub use address::Client;
pub use body::{Id, Json, Name, Query, parse_id};
pub use digest::digest;
pub use page::{Cursor, Page};
pub use principal::{MaybePrincipal, Principal, Via};
pub use problem::{FieldError, Problem, ProblemBody};
pub use rate_limit::{RateLimit, Standing};
pub use text::Text;
pub use time::Time;

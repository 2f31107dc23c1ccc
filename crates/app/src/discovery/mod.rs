//! Finding something to watch: the home page's rows, search, and the words that titles are filed under.

pub mod routes;
pub mod vocabulary;

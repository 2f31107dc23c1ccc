//! Finding something to watch: the home page's rows, search, what is like a title, and the words that titles are filed under.

pub mod related;
pub mod routes;
pub mod search;
pub mod vocabulary;

//! Finding something to watch: the home page's rows, and search.

pub mod routes;

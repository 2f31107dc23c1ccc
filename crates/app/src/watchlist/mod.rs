//! What people mean to watch.

pub mod routes;

//! What people watched, and where they stopped.

pub mod routes;

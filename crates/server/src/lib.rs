//! Configuration, roles and wiring of the `kinora` program. A library as well, so that tests run the real thing in process.

pub mod router;

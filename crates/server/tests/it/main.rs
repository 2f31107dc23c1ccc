//! The one integration binary: the real application in process, on SQLite and a directory, and again on PostgreSQL and S3.

mod access;
mod accounts;
mod catalog;
mod config;
mod discovery;
mod harness;
mod lifecycle;

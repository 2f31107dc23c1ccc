//! The one integration binary: the real application in process, on SQLite and a directory, and again on PostgreSQL and S3.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod accounts;
mod apart;
mod bulk;
mod catalog;
mod command;
mod config;
mod conformance;
mod countries;
mod control;
mod discovery;
mod encrypted;
mod endings;
mod engines;
mod face;
mod film;
mod harness;
mod judges;
mod kill;
mod library;
mod lifecycle;
mod media_access;
mod pictures;
mod schedule;
mod sharing;
mod title;
mod upload;
mod watching;
mod webhooks;

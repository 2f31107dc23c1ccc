//! The one integration binary: the real application in process, on SQLite and a directory, and again on PostgreSQL and S3.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod accounts;
mod answers;
mod apart;
mod attempts;
mod bulk;
mod catalog;
mod codecs;
mod command;
mod config;
mod conformance;
mod control;
mod countries;
mod discovery;
mod duplicates;
mod edges;
mod encrypted;
mod encrypted_web;
mod endings;
mod engines;
mod face;
mod farm;
mod faults;
mod file_server;
mod film;
mod handover;
mod harness;
mod imports;
mod judges;
mod kill;
mod library;
mod lifecycle;
mod media_access;
mod pictures;
mod quality;
mod schedule;
mod sharing;
mod streams;
mod title;
mod trouble;
mod upload;
mod versions;
mod watching;
mod webhooks;

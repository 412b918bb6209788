//! The tenant as a client meets it: over sockets.

#![allow(clippy::unwrap_used, reason = "what helps a test may fail it")]

mod api;
mod auth;
mod collections;
mod exports;
mod faults;
mod operations;
mod program;
mod roles;
mod sessions;

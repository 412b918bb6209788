//! What every generated client runs on, whatever document it comes from.

mod address;
mod call;
mod client;
mod config;
mod consistent;
mod credentials;
mod cursor;
mod environment;
mod error;
mod error_body;
pub(crate) mod filter;
mod operation;
pub(crate) mod options;
mod pager;
mod pages;
mod poll;
mod rate;
mod reader;
mod response;
mod retry;
mod secret;
mod token;
mod transport;
#[macro_use]
pub(crate) mod wire;
mod yaml;

#[allow(unused_imports, reason = "not every document has query parameters")]
pub(crate) use call::{Call, Query};
pub use client::Client;
pub use config::ClientBuilder;
pub use cursor::Cursor;
pub use environment::Environment;
pub use error::Error;
pub use error_body::{ErrorBody, ErrorMessage};
pub use filter::{Filter, Literal, Sorters};
pub use operation::{Operation, Page, PageKey};
pub use pager::Pager;
pub use pages::{Items, Pages};
pub use poll::{PollSchedule, Polled, Poller, Verdict, WaitError};
pub use rate::RateLimit;
pub use response::{ByteStream, ResponseValue};
pub use retry::{RetryBudget, RetryPolicy};
pub use secret::Secret;
pub use token::{Token, TokenFuture, TokenProvider};
pub use wire::{Extra, Nullable};

//! What every generated client runs on, whatever document it comes from.

mod call;
mod client;
mod error;
pub(crate) mod filter;
mod operation;
mod response;
#[macro_use]
pub(crate) mod wire;

#[allow(unused_imports, reason = "not every document has query parameters")]
pub(crate) use call::{Call, Query};
pub use client::Client;
pub use error::{Error, ErrorBody, ErrorMessage};
pub use filter::{Filter, Literal, Sorters};
pub use operation::{Operation, Page};
pub use response::{ByteStream, ResponseValue};
pub use wire::{Extra, Nullable};

//! A typed client for the IAI Role Mining API.

#![deny(missing_docs)]

#[path = "../generated/mod.rs"]
#[rustfmt::skip]
mod generated;
pub(crate) mod runtime;

pub use generated::{BASE_PATH, DOCUMENT, builder, fields, operations, types};
pub use runtime::*;

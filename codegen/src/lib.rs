//! Makes a typed Rust client from a SailPoint OpenAPI document.
//!
//! Two steps, each a function and a command. [`import`](import::import) reads what the vendor
//! publishes and gives back one canonical document: self-contained, mended, with stable names.
//! [`generate`](generate::generate) makes the client from that document, the same bytes each time.
//!
//! ```text
//! vendor's files -> bundle -> repair -> names -> canonical document
//!                                                   |
//!                 lower -> progenitor -> emit -> client
//! ```

#![deny(missing_docs)]

pub mod bundle;
pub mod canonical;
pub mod emit;
pub mod error;
pub mod filters;
#[path = "../../build/fingerprint.rs"]
pub mod fingerprint;
pub mod generate;
pub mod hoist;
pub mod import;
pub mod lower;
pub mod names;
pub mod node;
pub mod overlay;
pub mod repair;
pub mod report;
pub mod share;
pub mod source;
pub mod template;
pub mod yaml;

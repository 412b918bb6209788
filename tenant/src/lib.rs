//! An in-memory tenant that speaks SailPoint's IAI Role Mining API over real HTTP on loopback.
//!
//! It holds a made-up organisation, mines potential roles from it, and carries out all 25 operations
//! with state, for examples and for the tests of whatever talks to the real service. Everything
//! follows from a seed; time can be stopped and moved; what goes wrong can be ordered; and every
//! request is on record.
//!
//! ```
//! use std::time::Duration;
//! use sailpoint_role_mining_tenant::{Fault, Tenant};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let tenant = Tenant::builder().identities(500).frozen_clock().start().await?;
//! tenant.fault(Fault::html(502, "<h1>Bad Gateway</h1>").on("get_role_mining_sessions").times(1));
//!
//! // .. let a client loose on tenant.base_url(), tenant.client_id() and tenant.client_secret() ..
//!
//! tenant.advance(Duration::from_secs(749)); // every token has expired
//! assert_eq!(tenant.calls("get_role_mining_sessions"), 0);
//! # Ok::<(), sailpoint_role_mining_tenant::StartError>(())
//! # }).unwrap();
//! ```

#![deny(missing_docs)]

mod archive;
mod auth;
mod call;
mod clock;
mod collection;
mod contract;
mod download;
mod fault;
mod filter;
mod form;
mod mining;
mod names;
mod operations;
mod organisation;
mod pipeline;
mod record;
mod reply;
mod schema;
mod scope;
mod server;
mod settings;
mod tenant;
mod wire;
mod world;

pub use fault::Fault;
pub use record::Received;
pub use settings::{Builder, PastEnd, RetryAfter};
pub use tenant::{StartError, Tenant};

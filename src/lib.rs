//! A typed client for the IAI Role Mining API of SailPoint Identity Security Cloud.
//!
//! It is generated from the OpenAPI document and keeps what the service sends, whatever that document
//! says; a small hand-written part does what is the same for all operations.
//!
//! ```
//! use sailpoint_role_mining::fields::get_role_mining_sessions as session;
//! use sailpoint_role_mining::{Client, Error};
//! use sailpoint_role_mining_tenant::Tenant;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // With a tenant of yours, all of this is `let client = Client::from_env()?;`.
//!     let tenant = Tenant::builder().start().await?;
//!     let client = Client::builder(tenant.base_url())
//!         .credentials(tenant.client_id(), tenant.client_secret())
//!         .build()?;
//!
//!     let sessions = client
//!         .get_role_mining_sessions()
//!         .filters(session::SAVED.eq(true) & session::NAME.starts_with("S"))
//!         .sorters(session::CREATED_DATE.desc())
//!         .send()
//!         .await?;
//!     for session in &*sessions {
//!         println!("{:?} has {:?} potential roles", session.name, session.potential_role_count);
//!     }
//!
//!     let error: Error = client.get_role_mining_session().session_id("none").send().await.unwrap_err();
//!     assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
//!     println!("{error}"); // one line: operation, status, the service's own words, its tracking id
//!     Ok(())
//! }
//! ```
//!
//! # Where to look
//!
//! - [`Client`] connects, and has a method for each of the 25 operations. Each gives a builder from
//!   [`builder`], whose `send` answers with a [`ResponseValue`] or an [`Error`].
//! - [`types`] are the models. Their fields are `Option`s, since the service leaves out what it likes;
//!   what is sent and may be cleared is [`Nullable`]; enums have a variant for values that are not known,
//!   and every model keeps fields that are not known in `extra`.
//! - [`fields`] are what each operation filters and sorts by, typed by what it supports.
//! - [`operations`] is what the document says of each operation, as data.
//! - Operations that list have `paginate` on their builder: a [`Pager`] gives [`Items`] or [`Pages`] as
//!   streams, in order, each once, several pages at a time if wanted, and a [`Cursor`] to go on from.
//! - [`ByteStream`] is a download, as it arrives.
//! - [`Client::export`] starts an export, waits for it and fetches it to a path, where it is whole or not
//!   at all; [`Client::export_all`] does so for all roles of a session, and takes up its work after a crash.
//!   [`Archive`] reads the tables inside.
//! - [`Client::wait_for_session`], [`Client::provision`] and [`Poller`] wait for what the service does by itself.
//! - Operations that patch have a setter for each field and each operation the service takes on it, such as
//!   [`replace_name`](builder::PatchPotentialRole::replace_name).
//!
//! # What it does not do
//!
//! It has no blocking interface, does not run in a browser, and needs the runtime of `tokio`. It knows
//! the operations of one edition (see [`DOCUMENT`]); for another, or another part of the vendor's API,
//! the repository has the generator.

#![deny(missing_docs)]

mod archive;
mod bulk;
mod download;
mod export;
#[path = "../generated/mod.rs"]
#[rustfmt::skip]
mod generated;
mod manifest;
pub(crate) mod runtime;
mod session;
mod store;
mod transfer;

pub use archive::{Archive, ArchiveError, Member, Records};
pub use bulk::{BulkError, BulkExport, BulkReport, Exported, RoleError};
pub use download::{Download, DownloadError, DownloadStream, Receipt};
pub use export::{ExportJob, ExportToken, Finish, FinishedExport, StartExport};
pub use generated::{BASE_PATH, DOCUMENT, builder, fields, operations, types};
pub use runtime::*;
pub use session::{Provision, ProvisionProgress, SessionProgress, WaitForSession};
pub use types::RoleMiningPotentialRoleExportState as ExportState;
pub use types::RoleMiningPotentialRoleProvisionState as ProvisionState;
pub use types::RoleMiningSessionState as SessionState;

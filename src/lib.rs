//! A typed client for the IAI Role Mining API.

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

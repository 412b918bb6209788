//! A running tenant, as its owner sees it.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;

use crate::contract::contract;
use crate::fault::Fault;
use crate::pipeline::Shared;
use crate::record::Received;
use crate::settings::Builder;

/// A running tenant; it stops when it is dropped.
pub struct Tenant {
    pub(crate) base_url: String,
    pub(crate) shared: Arc<Shared>,
    pub(crate) servers: Vec<JoinHandle<()>>,
}

impl Tenant {
    /// Settings to start a tenant with.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Where the tenant listens, such as `http://127.0.0.1:8080`; without an edition.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The id of the (first) client that may ask for tokens.
    pub fn client_id(&self) -> &str {
        self.shared.settings.clients.first().map_or("", |client| &client.id)
    }

    /// The secret that goes with [`client_id`](Self::client_id).
    pub fn client_secret(&self) -> &str {
        self.shared.settings.clients.first().map_or("", |client| &client.secret)
    }

    /// The names of all operations, in snake case.
    pub fn operations() -> Vec<&'static str> {
        contract().map(|contract| contract.names().collect()).unwrap_or_default()
    }

    /// All requests received so far (the latest 100 000), in the order in which they came in.
    pub fn record(&self) -> Vec<Received> {
        self.shared.record.all()
    }

    /// How many requests for an operation were received so far.
    pub fn calls(&self, operation: &str) -> usize {
        self.shared.record.count(operation)
    }

    /// How many requests were being answered at the same time at most; what [`Fault::delay`] holds
    /// back counts, the sending of a body does not.
    pub fn most_at_once(&self) -> usize {
        self.shared.record.most_under_way()
    }

    /// Forgets the requests received so far.
    pub fn clear_record(&self) {
        self.shared.record.clear();
    }

    /// Makes something go wrong from now on.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Lets nothing go wrong any more.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// The tenant's time.
    pub fn now(&self) -> SystemTime {
        self.shared.clock.date(self.shared.clock.now())
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
    }

    /// Makes all tokens given out so far worthless.
    pub fn revoke_tokens(&self) {
        self.shared.desk.revoke();
    }

    /// Whether exports started from now on end in ERROR.
    pub fn fail_exports(&self, fail: bool) {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner).fail_exports = fail;
    }

    /// Whether provision requests made from now on end in FAILED.
    pub fn fail_provisions(&self, fail: bool) {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner).fail_provisions = fail;
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tenant").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// Why a tenant could not start.
#[derive(Debug)]
pub struct StartError(pub(crate) String);

impl std::fmt::Display for StartError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

//! One page of a list: how it is read, and where that is done.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::call::Call;
use super::cursor::name_of;
use super::error::Error;
use super::operation::Operation;
use super::wire::Wire;

/// All that has to be known of the items of a list.
pub(crate) struct Reader<T> {
    read: fn(Call) -> Reading<T>,
    view: fn(&T) -> Value,
}

type Reading<T> = BoxFuture<'static, Result<Got<T>, Error>>;

/// A page.
pub(crate) struct Got<T> {
    /// Nulls are counted by the service, and so kept.
    pub(crate) items: Vec<Option<T>>,
    pub(crate) total: Option<u64>,
    /// What it looks like: its length, its first and its last item.
    pub(crate) print: u64,
}

impl<T: Wire + Serialize + Send + 'static> Reader<T> {
    #[allow(dead_code, reason = "not every document has lists")]
    pub(crate) fn new() -> Reader<T> {
        Reader { read: |call| Box::pin(read(call)), view }
    }
}

impl<T> Reader<T> {
    pub(crate) fn read(&self, call: Call) -> Reading<T> {
        (self.read)(call)
    }

    /// The item as it is in JSON.
    pub(crate) fn view(&self, item: &T) -> Value {
        (self.view)(item)
    }

    pub(crate) fn id(&self, item: &T) -> Option<String> {
        match self.view(item).get_mut("id")?.take() {
            Value::String(id) => Some(id),
            _ => None,
        }
    }
}

async fn read<T: Wire + Serialize>(call: Call) -> Result<Got<T>, Error> {
    let answer = call.json::<Vec<Option<T>>>().await?;
    let total = answer.total_count();
    let items = answer.into_inner();
    let shown = (items.len(), items.first(), items.last());
    let print = serde_json::to_vec(&shown).map_or(0, |text| name_of(&text));
    Ok(Got { items, total, print })
}

fn view<T: Serialize>(item: &T) -> Value {
    serde_json::to_value(item).unwrap_or_default()
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Reader<T> {}

impl<T> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

/// A page that is under way.
pub(crate) enum Flight<T> {
    /// By whoever polls it.
    Here(Reading<T>),
    /// By itself.
    Task(&'static Operation, JoinHandle<Result<Got<T>, Error>>),
}

impl<T: Send + 'static> Flight<T> {
    /// A page that is fetched ahead gets a task. It must not wait for its reader, who may himself be waiting
    /// behind it, for the rate limit or a token.
    pub(crate) fn start(reading: Reading<T>, operation: &'static Operation, ahead: bool) -> Flight<T> {
        match Handle::try_current() {
            Ok(runtime) if ahead => Flight::Task(operation, runtime.spawn(reading.in_current_span())),
            _ => Flight::Here(reading),
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Got<T>, Error>> {
        match self {
            Flight::Here(reading) => reading.as_mut().poll(cx),
            Flight::Task(operation, task) => Poll::Ready(match ready!(Pin::new(task).poll(cx)) {
                Ok(result) => result,
                Err(failed) => match failed.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(Error::pages(operation, "the runtime shut down while a page was read")),
                },
            }),
        }
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        if let Flight::Task(_, task) = self {
            task.abort();
        }
    }
}

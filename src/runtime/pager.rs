//! Reading a whole list: what can be set before the first page is asked for.

use std::fmt;

use serde::Serialize;

use super::call::{Call, Query};
use super::consistent::Order;
use super::cursor::Cursor;
use super::error::Error;
use super::operation::Page;
use super::pages::{Engine, Items, Pages, Reader};
use super::wire::Wire;

/// How many records a page has where neither caller nor document says.
const USUAL: u32 = 250;

/// A whole list, to be read page by page. Every builder of an operation that lists has `paginate()`, which
/// gives one.
///
/// It belongs to nobody: it can be sent to another thread, spawned, and kept. Nothing is asked for before the
/// stream that it becomes is polled, and nothing after that is dropped.
///
/// ```
/// # use sailpoint_role_mining::{Client, Error};
/// # use sailpoint_role_mining_tenant::Tenant;
/// # async fn example(client: Client) -> Result<(), Error> {
/// let mut sessions = client.get_role_mining_sessions().paginate().page_size(2).items();
/// let mut names = Vec::new();
/// while let Some(session) = sessions.try_next().await? {
///     names.push(session.name);
/// }
/// assert_eq!(names.len(), 3);
///
/// let all = client.get_role_mining_sessions().paginate().all().await?;
/// assert_eq!(all.len(), 3);
/// # Ok(())
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// #     let tenant = Tenant::builder().identities(100).start().await?;
/// #     let client = Client::builder(tenant.base_url()).credentials(tenant.client_id(), tenant.client_secret());
/// #     Ok(example(client.build()?).await?)
/// # }
/// ```
///
/// # Where the list ends
///
/// The offset goes on by what was received, and a page with fewer items than asked for is not taken for the
/// last. The list ends
///
/// - at an empty page,
/// - at a short page, when the total is known and all of it was received,
/// - at a 400 on a page after the first, when as many items were received as there are: the service answers so
///   to an offset past the end. If the total is not known, the client asks for it to be sure (or, where the
///   operation does not count, looks whether the answer is about the offset).
///
/// Everything else is an error: a page that fails in spite of all retries, an empty page where there are
/// more items, and a page that comes a second time because the service does not heed the offset.
#[must_use = "nothing is sent before it is made a stream"]
pub struct Pager<T> {
    pub(crate) call: Call,
    pub(crate) reader: Reader<T>,
    pub(crate) page: Page,
    /// Where the list begins.
    pub(crate) base: u64,
    pub(crate) size: u32,
    pub(crate) prefetch: usize,
    pub(crate) take: Option<u64>,
    pub(crate) with_total: bool,
    pub(crate) consistent: bool,
    pub(crate) cursor: Option<Cursor>,
    /// What is wrong with the call, told when it is made.
    pub(crate) flaw: Option<Error>,
}

impl<T: Send + 'static> Pager<T> {
    #[allow(dead_code, reason = "not every document has lists")]
    pub(crate) fn new(mut call: Call) -> Pager<T>
    where
        T: Wire + Serialize,
    {
        let page = call.operation.page.unwrap_or(Page { max: None, count: false, keys: &[] });
        let mut flaw = None;
        let mut number = |name: &str| {
            let text = call.take_query(name)?;
            let number = text.parse::<u64>();
            if number.is_err() {
                let message = format!("`{name}` is {text}, which is no number of records");
                flaw = Some(Error::invalid(Some(call.operation), message));
            }
            number.ok()
        };
        let base = number("offset").unwrap_or(0);
        let size = number("limit").map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
        let with_total = call.take_query("count").as_deref() == Some("true");
        let pager = Pager {
            reader: Reader::new(),
            page,
            base,
            size: 0,
            prefetch: 1,
            take: None,
            with_total,
            consistent: false,
            cursor: None,
            flaw,
            call,
        };
        pager.page_size(size.or(page.max).unwrap_or(USUAL))
    }

    /// How many records to ask for at a time; no more than the service takes, and at least 1. By default as
    /// many as it takes.
    pub fn page_size(mut self, records: u32) -> Self {
        self.size = records.min(self.page.max.unwrap_or(u32::MAX)).max(1);
        self
    }

    /// Ends the list after so many items, and asks for none beyond them. A list that goes on from a cursor
    /// counts those before it too.
    pub fn take_total(mut self, items: u64) -> Self {
        self.take = Some(items);
        self
    }

    /// Asks for up to so many pages at the same time; they come in order all the same. Default 1.
    ///
    /// A reader that is slow holds at most so many pages, the one it reads included. The first page comes
    /// alone, and tells how many there are: nothing is asked for past the end. Pages that are fetched ahead
    /// run as tasks on the runtime, so that they arrive while the reader is busy, even with other calls
    /// that wait behind them for the rate limit; dropping the stream ends them.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages.max(1);
        self
    }

    /// Asks for the total with the first page, so that the stream knows it: for a progress bar.
    ///
    /// It costs the service time. It is asked for anyway where pages are prefetched.
    pub fn with_total(mut self) -> Self {
        self.with_total = true;
        self
    }

    /// Reads the list as one, though rows are inserted and deleted meanwhile.
    ///
    /// Where the operation can sort by a field and filter by it ([`Page::keys`]), pages begin at the value of
    /// that field where the last one ended, in place of an offset: a row that was there all the time comes
    /// exactly once, whatever happens to others. The key is the field sorted by first; without sorters, it is
    /// the first of [`Page::keys`]. The caller's own filters stay. Pages come one after another, and
    /// the offset is used only among rows with the same value, where a row that moved is noticed and
    /// the value read again. A row whose value changes meanwhile is where it is when its turn comes.
    ///
    /// Where the operation cannot, every page asks for the total, and a total that changes is an error
    /// ([`Error::is_pagination`]). To go on all the same, resume from the cursor.
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    /// Goes on from where another stream of the same list was, be it in this process or in another.
    pub fn resume(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// How many items the whole list has, by a request of its own that gives no more than one of them.
    ///
    /// # Errors
    ///
    /// When the call fails, or the service does not tell.
    pub async fn total(&self) -> Result<u64, Error> {
        if let Some(flaw) = &self.flaw {
            return Err(flaw.clone());
        }
        let got = self.reader.read(paged(&self.call, 0, 1, true)).await?;
        got.total
            .ok_or_else(|| Error::pages(self.call.operation, "the service does not tell how many there are"))
    }

    /// The items, as a stream.
    pub fn items(self) -> Items<T> {
        Items::new(Engine::new(self))
    }

    /// The pages, as a stream; none is empty.
    pub fn pages(self) -> Pages<T> {
        Pages::new(Engine::new(self))
    }

    /// All items at once.
    ///
    /// # Errors
    ///
    /// When any page fails; there is no list that is only a part.
    pub async fn all(self) -> Result<Vec<T>, Error> {
        let mut pages = self.pages();
        let mut all = pages.try_next().await?.unwrap_or_default();
        while let Some(page) = pages.try_next().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// By what the list is read in consistent mode, if the operation can.
    pub(crate) fn order(&self) -> Result<Option<Order>, Error> {
        if self.consistent { Order::of(&self.call, self.page.keys) } else { Ok(None) }
    }
}

/// The call for one page.
pub(crate) fn paged(call: &Call, offset: u64, limit: u64, count: bool) -> Call {
    let mut call = call.clone();
    call.query("offset", Query::One(offset.to_string()));
    call.query("limit", Query::One(limit.to_string()));
    if count {
        call.query("count", Query::One("true".into()));
    }
    call
}

impl<T> Clone for Pager<T> {
    fn clone(&self) -> Self {
        Pager {
            call: self.call.clone(),
            reader: self.reader,
            cursor: self.cursor.clone(),
            flaw: self.flaw.clone(),
            ..*self
        }
    }
}

impl<T> fmt::Debug for Pager<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("operation", &self.call.operation.id)
            .field("page_size", &self.size)
            .field("prefetch", &self.prefetch)
            .field("take_total", &self.take)
            .finish_non_exhaustive()
    }
}

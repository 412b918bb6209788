//! The streams of a list, and what they share: which page is asked for when, and what an answer means.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;

use super::consistent::{Keyed, Step};
use super::cursor::{Cursor, name_of};
use super::error::Error;
use super::pager::{Pager, paged};
pub(crate) use super::reader::Reader;
use super::reader::{Flight, Got};

/// How many answers in a row may make no sense unless rows have moved, before the service is not believed.
const MOST_AGAIN: u32 = 10;

/// The items of a list, in order, each once.
///
/// It is a [`Stream`], and ends after an error; [`try_next`](Self::try_next) reads it without that trait.
#[must_use = "nothing is sent before it is polled"]
pub struct Items<T> {
    engine: Engine<T>,
    page: vec::IntoIter<Option<T>>,
}

/// The pages of a list, in order, each with at least one item.
///
/// It is a [`Stream`], and ends after an error; [`try_next`](Self::try_next) reads it without that trait.
#[must_use = "nothing is sent before it is polled"]
pub struct Pages<T> {
    engine: Engine<T>,
}

/// What both streams can be asked at any time.
macro_rules! stream {
    ($stream:ident, $item:ty, $what:literal) => {
        impl<T: Send + 'static> $stream<T> {
            #[doc = concat!("The next ", $what, ", or `None` at the end.")]
            ///
            /// Dropping the future loses nothing.
            ///
            /// # Errors
            ///
            /// When a page fails. The cursor is at that page then, and the stream has ended.
            pub async fn try_next(&mut self) -> Result<Option<$item>, Error> {
                poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
            }
        }

        impl<T> $stream<T> {
            /// Where the stream is: behind what it has given.
            pub fn cursor(&self) -> Cursor {
                self.engine.cursor()
            }

            /// How many items there are, as far as the service was asked to tell: at the latest answer that
            /// told, or as many as there were at the end.
            pub fn total(&self) -> Option<u64> {
                self.engine.total
            }

            /// The total as it was first told, and as it is now, if they differ. The list changed while
            /// it was read, then, and items may have been missed or may have come twice.
            pub fn total_change(&self) -> Option<(u64, u64)> {
                let (first, now) = (self.engine.first_total?, self.engine.total?);
                (first != now).then_some((first, now))
            }
        }

        /// Nothing in it refers to itself.
        impl<T> Unpin for $stream<T> {}

        impl<T> fmt::Debug for $stream<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($stream)).field("cursor", &self.cursor()).finish_non_exhaustive()
            }
        }
    };
}

stream!(Items, T, "item");
stream!(Pages, Vec<T>, "page");

impl<T> Items<T> {
    pub(crate) fn new(engine: Engine<T>) -> Items<T> {
        Items { engine, page: Vec::new().into_iter() }
    }
}

impl<T: Send + 'static> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            for record in this.page.by_ref() {
                this.engine.give(record.as_ref());
                if let Some(item) = record {
                    return Poll::Ready(Some(Ok(item)));
                }
            }
            match ready!(this.engine.poll_page(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => this.page = page.into_iter(),
            }
        }
    }
}

impl<T> Pages<T> {
    pub(crate) fn new(engine: Engine<T>) -> Pages<T> {
        Pages { engine }
    }
}

impl<T: Send + 'static> Stream for Pages<T> {
    type Item = Result<Vec<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let page = match ready!(this.engine.poll_page(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => page,
            };
            page.iter().for_each(|record| this.engine.give(record.as_ref()));
            let items: Vec<T> = page.into_iter().flatten().collect();
            if !items.is_empty() {
                return Poll::Ready(Some(Ok(items)));
            }
        }
    }
}

/// Reads a list page by page.
pub(crate) struct Engine<T> {
    pager: Pager<T>,
    cursor: Cursor,
    keyed: Option<Keyed>,
    /// The offset behind the last page that came.
    read: u64,
    /// How many items came.
    received: u64,
    /// How many records a page has, as far as it shows.
    stride: u64,
    first_total: Option<u64>,
    total: Option<u64>,
    /// Whether a page has come, so that the total is known if it ever will be.
    begun: bool,
    /// What the last page looked like.
    print: Option<u64>,
    /// How often in a row an answer made no sense unless rows had moved, in consistent mode.
    again: u32,
    window: VecDeque<Asked<T>>,
    doubt: Option<Doubt<T>>,
    flaw: Option<Error>,
    ended: bool,
}

/// A page that was asked for.
struct Asked<T> {
    offset: u64,
    limit: u64,
    flight: Flight<T>,
}

/// What a page means depends on the total, which was asked for.
struct Doubt<T> {
    offset: u64,
    about: About<T>,
    flight: Flight<T>,
}

enum About<T> {
    /// Whether the list ends here, at an empty page or at a 400.
    End(Option<Error>),
    /// Whether a page is the one before it, again.
    Repeated { limit: u64, got: Got<T> },
}

/// What is to be done about an answer.
enum Verdict<T> {
    Page(Vec<Option<T>>),
    Fail(Error),
    End,
    /// Something else has to be asked first.
    Again,
}

impl<T> Engine<T> {
    fn cursor(&self) -> Cursor {
        let mark = self.keyed.as_ref().and_then(Keyed::mark);
        Cursor { mark, total: self.total, ..self.cursor.clone() }
    }

    /// A record, which may be null, was given to the reader.
    fn give(&mut self, record: Option<&T>) {
        self.cursor.offset += 1;
        if let Some(item) = record {
            self.cursor.given += 1;
            if let Some(keyed) = &mut self.keyed {
                keyed.give(&self.pager.reader.view(item));
            }
        }
    }
}

impl<T: Send + 'static> Engine<T> {
    pub(crate) fn new(mut pager: Pager<T>) -> Engine<T> {
        let operation = pager.call.operation;
        let mut flaw = pager.flaw.take();
        let order = pager.order().unwrap_or_else(|error| {
            flaw.get_or_insert(error);
            None
        });
        // Where it cannot be sent, the first page says so.
        let list = pager.call.target().unwrap_or_default();
        let list = format!("{:016x}", name_of(list.as_bytes()));
        let fresh = Cursor { offset: pager.base, ..Cursor::new(operation.id, &list) };
        let cursor = pager.cursor.take().unwrap_or_else(|| fresh.clone());
        let is_keyed = order.is_some();
        if (&cursor.operation, &cursor.list) != (&fresh.operation, &fresh.list)
            || cursor.offset < pager.base
            || (cursor.mark.is_some() && !is_keyed)
        {
            let message = format!("the cursor is of another list, one of `{}`", cursor.operation);
            flaw.get_or_insert(Error::invalid(Some(operation), message));
        }
        let keyed = order.map(|order| Keyed::new(order, cursor.mark.clone()));
        if is_keyed {
            pager.prefetch = 1;
        }
        // A total that a cursor brings was told to another: what it is now is asked for again if it is needed.
        Engine {
            keyed,
            read: cursor.offset,
            received: cursor.given,
            stride: u64::from(pager.size),
            first_total: None,
            total: None,
            begun: false,
            print: None,
            again: 0,
            window: VecDeque::new(),
            doubt: None,
            flaw,
            ended: false,
            cursor,
            pager,
        }
    }

    /// The next page, which may hold nulls. None of it may be left when this is polled.
    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<Option<T>>, Error>>> {
        if let Some(flaw) = self.flaw.take() {
            self.end();
            return Poll::Ready(Some(Err(flaw)));
        }
        while !self.ended {
            let verdict = if let Some(doubt) = &mut self.doubt {
                let answer = ready!(doubt.flight.poll(cx));
                match self.doubt.take() {
                    Some(doubt) => self.settle(doubt, answer),
                    None => Verdict::Again,
                }
            } else {
                self.ask();
                let Some(first) = self.window.front_mut() else { break };
                let answer = ready!(first.flight.poll(cx));
                match self.window.pop_front() {
                    Some(asked) => self.judge(&asked, answer),
                    None => Verdict::Again,
                }
            };
            match verdict {
                Verdict::Page(page) => return Poll::Ready(Some(Ok(page))),
                Verdict::Fail(error) => {
                    self.end();
                    return Poll::Ready(Some(Err(error)));
                }
                Verdict::End => self.all_read(),
                Verdict::Again => {}
            }
        }
        self.end();
        Poll::Ready(None)
    }

    /// The list is at its end: what was received is what there is, whatever was said.
    fn all_read(&mut self) {
        if self.keyed.is_none() && self.total.is_some() {
            self.total = Some(self.read);
        }
        self.end();
    }

    /// Nothing more is asked for.
    fn end(&mut self) {
        self.ended = true;
        self.doubt = None;
        self.window.clear();
    }

    /// Asks for as many pages as may be under way.
    fn ask(&mut self) {
        while self.window.len() < self.pager.prefetch {
            let left = self.pager.take.map(|take| take.saturating_sub(self.received));
            let (call, offset, size) = match &self.keyed {
                Some(keyed) => {
                    let limit = keyed.limit(self.pager.size, self.pager.page.max);
                    (keyed.call(&self.pager.call), keyed.offset(self.read), limit)
                }
                None => {
                    let next = self
                        .window
                        .back()
                        .map_or(self.read, |last| last.offset + self.stride.min(last.limit));
                    (self.pager.call.clone(), next, u64::from(self.pager.size))
                }
            };
            let limit = match left {
                Some(0) => break,
                Some(_) if self.keyed.is_some() => size,
                Some(left) => size.min((self.read + left).saturating_sub(offset)),
                None => size,
            };
            if limit == 0 || !(self.window.is_empty() || self.is_expected(offset)) {
                break;
            }
            let strict = self.pager.consistent && self.keyed.is_none();
            let wanted = self.pager.with_total || self.pager.prefetch > 1;
            let count = self.pager.page.count && (strict || (wanted && !self.begun));
            let future = self.pager.reader.read(paged(&call, offset, limit, count));
            let flight = Flight::start(future, self.pager.call.operation, self.pager.prefetch > 1);
            self.window.push_back(Asked { offset, limit, flight });
        }
    }

    /// Whether a page at this offset is asked for before the one ahead of it has come. One at the very
    /// end is: it tells whether the list has grown.
    fn is_expected(&self, offset: u64) -> bool {
        self.begun && self.total.is_none_or(|total| offset <= total)
    }

    fn judge(&mut self, asked: &Asked<T>, answer: Result<Got<T>, Error>) -> Verdict<T> {
        let (offset, limit) = (asked.offset, asked.limit);
        let is_later = offset > self.pager.base || self.keyed.as_ref().is_some_and(|_| offset > 0);
        let got = match answer {
            Err(error) if is_later && error.status().is_some_and(|status| status.as_u16() == 400) => {
                return self.maybe_end(offset, Some(error));
            }
            Err(error) => return Verdict::Fail(error),
            Ok(got) => got,
        };
        self.begun = true;
        if let Some(total) = got.total {
            let before = self.total.replace(total);
            self.first_total.get_or_insert(total);
            if let Some(before) = before.filter(|before| self.pager.consistent && *before != total) {
                let message =
                    format!("the list had {before} items and now has {total}: some may be missed or doubled");
                return self.fail(message);
            }
        }
        if got.items.is_empty() {
            return self.maybe_end(offset, None);
        }
        if self.keyed.is_some() {
            return self.accept_keyed(offset, got);
        }
        if is_later && self.print == Some(got.print) {
            let has_ids = got.items.iter().flatten().any(|item| self.pager.reader.id(item).is_some());
            if has_ids || !self.pager.page.count {
                return self.same_again(offset);
            }
            return self.doubt(offset, About::Repeated { limit, got });
        }
        self.accept(offset, limit, got)
    }

    /// A page came empty, or with a 400 after the first one.
    fn maybe_end(&mut self, offset: u64, error: Option<Error>) -> Verdict<T> {
        if let Some(keyed) = &mut self.keyed {
            if keyed.rewinds() {
                return Verdict::Again;
            }
            // A total that is asked for later would be of another list: it changes.
            if error.as_ref().is_some_and(is_about_offset) {
                return Verdict::End;
            }
        } else if self.total.is_some_and(|total| offset >= total) {
            return Verdict::End;
        }
        let is_told = self.total.is_some() && self.keyed.is_none();
        match error {
            None if !is_told => Verdict::End,
            error if self.pager.page.count => self.doubt(offset, About::End(error)),
            None => Verdict::End,
            Some(error) if is_about_offset(&error) => Verdict::End,
            Some(error) => Verdict::Fail(error),
        }
    }

    /// Asks for the total before it goes on.
    fn doubt(&mut self, offset: u64, about: About<T>) -> Verdict<T> {
        let call = match &self.keyed {
            Some(keyed) => keyed.call(&self.pager.call),
            None => self.pager.call.clone(),
        };
        let future = self.pager.reader.read(paged(&call, 0, 1, true));
        let flight = Flight::start(future, call.operation, false);
        self.doubt = Some(Doubt { offset, about, flight });
        Verdict::Again
    }

    fn settle(&mut self, doubt: Doubt<T>, answer: Result<Got<T>, Error>) -> Verdict<T> {
        let total = match answer {
            Ok(got) => got.total,
            Err(error) => return Verdict::Fail(error),
        };
        if self.keyed.is_none() && total.is_some() {
            self.first_total = self.first_total.or(total);
            self.total = total;
        }
        let is_past = total.map(|total| doubt.offset >= total);
        if let (Some(keyed), Some(false)) = (&mut self.keyed, is_past) {
            // Rows may have come between the one answer and the other.
            self.again += 1;
            if self.again < MOST_AGAIN {
                keyed.restart();
                return Verdict::Again;
            }
        }
        match (doubt.about, is_past) {
            (About::End(_), Some(true)) | (About::End(None), None) => Verdict::End,
            (About::End(Some(error)), None) if is_about_offset(&error) => Verdict::End,
            (About::End(Some(error)), _) => Verdict::Fail(error),
            (About::End(None), Some(false)) => {
                let total = total.unwrap_or_default();
                self.fail(format!(
                    "the page at offset {} is empty, though there are {total} items",
                    doubt.offset
                ))
            }
            (About::Repeated { limit, got }, Some(false)) => self.accept(doubt.offset, limit, got),
            (About::Repeated { .. }, _) => self.same_again(doubt.offset),
        }
    }

    fn same_again(&self, offset: u64) -> Verdict<T> {
        self.fail(format!(
            "the page at offset {offset} is the one before it again: the service does not heed the offset"
        ))
    }

    fn fail(&self, message: String) -> Verdict<T> {
        Verdict::Fail(Error::pages(self.pager.call.operation, message))
    }

    fn accept(&mut self, offset: u64, limit: u64, got: Got<T>) -> Verdict<T> {
        let Got { mut items, print, .. } = got;
        let length = items.len() as u64;
        self.print = Some(print);
        self.read = offset + length;
        self.stride = length;
        if self.window.front().is_some_and(|next| next.offset != self.read) {
            // They were asked for when another number of records was expected.
            self.window.clear();
        }
        if length < limit && self.total.is_some_and(|total| self.read >= total) {
            self.all_read();
        }
        self.cut(&mut items);
        Verdict::Page(items)
    }

    fn accept_keyed(&mut self, offset: u64, got: Got<T>) -> Verdict<T> {
        let Some(keyed) = &mut self.keyed else {
            return Verdict::Again;
        };
        let Got { mut items, print, .. } = got;
        let reader = self.pager.reader;
        let ids: Vec<Option<String>> = items.iter().map(|item| reader.id(item.as_ref()?)).collect();
        let has_key = keyed.has_mark();
        let step = keyed.look(offset, ids.iter().map(Option::as_deref));
        let is_again = offset > 0 && self.print == Some(print);
        self.print = Some(print);
        match step {
            // Without a key, it was asked for by its offset alone.
            Step::Fresh(_) if is_again && !has_key => self.same_again(offset),
            Step::Fresh(fresh) => {
                self.again = 0;
                let mut fresh = fresh.into_iter();
                items.retain(|_| fresh.next().unwrap_or(true));
                self.read += items.len() as u64;
                self.cut(&mut items);
                Verdict::Page(items)
            }
            Step::Again => {
                // Rows that move can make one page like another; not time after time.
                self.again += u32::from(is_again);
                if self.again < MOST_AGAIN { Verdict::Again } else { self.same_again(offset) }
            }
        }
    }

    /// Counts what came, and leaves out what is more than was wanted.
    fn cut(&mut self, items: &mut Vec<Option<T>>) {
        let left = self.pager.take.map_or(u64::MAX, |take| take.saturating_sub(self.received));
        let mut kept = 0;
        items.retain(|item| {
            let keeps = kept < left;
            kept += u64::from(keeps && item.is_some());
            keeps
        });
        self.received += kept;
    }
}

/// Whether the service's own words are about the offset.
fn is_about_offset(error: &Error) -> bool {
    let message = error.body().and_then(|body| body.message());
    message.is_some_and(|message| message.to_ascii_lowercase().contains("offset"))
}

//! A server of nothing but lists, which does as a test tells it: real sockets, no framework.
#![allow(dead_code, reason = "shared by a test and a benchmark")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use sailpoint_role_mining::{Client, ClientBuilder, RetryPolicy};

const TOKEN: &str = r#"{"access_token":"t","token_type":"bearer","expires_in":749}"#;

/// What is asked of the server.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The number of the request, from 0.
    pub(crate) number: usize,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    pub(crate) count: bool,
    pub(crate) filters: String,
    pub(crate) sorters: String,
}

/// What it answers; a status of 0 closes the connection instead.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) total: Option<usize>,
    pub(crate) body: Arc<str>,
    pub(crate) delay: Duration,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Arc<str>>) -> Answer {
        Answer { status, body: body.into(), ..Answer::default() }
    }
}

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) asked: Arc<AtomicUsize>,
    /// How many requests are being answered, and how many were at most.
    pub(crate) most: Arc<AtomicUsize>,
}

impl Server {
    /// The threads end with the process.
    pub(crate) fn start(answer: impl Fn(&Ask) -> Answer + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let server = Server { url, asked: Arc::clone(&asked), most: Arc::clone(&most) };
        let (answer, now) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
                let (most, now) = (Arc::clone(&most), Arc::clone(&now));
                thread::spawn(move || {
                    serve(stream, |query| {
                        let ask = parse(query, asked.fetch_add(1, SeqCst));
                        most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                        let answer = answer(&ask);
                        thread::sleep(answer.delay);
                        now.fetch_sub(1, SeqCst);
                        answer
                    })
                });
            }
        });
        server
    }

    /// A client that tries once, as fast as it can.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(&self.url).retry(RetryPolicy::none()).rate_limit(None)
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

fn serve(stream: TcpStream, answer: impl Fn(&str) -> Answer) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let mut first = String::new();
        reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            if line.trim().is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        let target = first.split(' ').nth(1)?;
        let answer = match target.split_once('?') {
            _ if target.ends_with("/oauth/token") => Answer::new(200, TOKEN),
            query => answer(query.map_or("", |(_, query)| query)),
        };
        if answer.status == 0 {
            return None;
        }
        let total = answer.total.map(|total| format!("X-Total-Count: {total}\r\n")).unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {} X\r\nContent-Type: application/json\r\n{total}Content-Length: {}\r\n\r\n",
            answer.status,
            answer.body.len()
        );
        writer.write_all(head.as_bytes()).ok()?;
        writer.write_all(answer.body.as_bytes()).ok()?;
    }
}

fn parse(query: &str, number: usize) -> Ask {
    let value = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        percent_encoding::percent_decode_str(pair.unwrap_or_default()).decode_utf8_lossy().into_owned()
    };
    Ask {
        number,
        offset: value("offset").parse().unwrap_or(0),
        limit: value("limit").parse().unwrap_or(250),
        count: value("count") == "true",
        filters: value("filters"),
        sorters: value("sorters"),
    }
}

/// The answer of a well-behaved service that has these items, with the ways of misbehaving that it has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Habits {
    pub(crate) cap: Option<usize>,
    pub(crate) past_end_400: bool,
    pub(crate) never_counts: bool,
}

impl Habits {
    pub(crate) fn answer<T: AsRef<str>>(&self, ask: &Ask, items: &[T]) -> Answer {
        if self.past_end_400 && ask.offset > 0 && ask.offset >= items.len() {
            return Answer::new(400, r#"{"messages":[{"text":"Specified offset is invalid."}]}"#);
        }
        let limit = ask.limit.min(self.cap.unwrap_or(usize::MAX));
        let page: Vec<&str> = items.iter().skip(ask.offset).take(limit).map(AsRef::as_ref).collect();
        let total = (ask.count && !self.never_counts).then_some(items.len());
        Answer { total, ..Answer::new(200, format!("[{}]", page.join(","))) }
    }
}

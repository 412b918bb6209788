//! Accepts connections, and gives each request its answer, spoiled as ordered.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming as RequestBody};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::auth::{Desk, MANAGE, READ};
use crate::clock::Clock;
use crate::contract::contract;
use crate::fault::Faults;
use crate::organisation::uuid;
use crate::pipeline::{Incoming, Route, Shared, process};
use crate::record::{Received, Record};
use crate::reply::{Body, Reply};
use crate::settings::{Client, Settings};
use crate::tenant::{StartError, Tenant};
use crate::wire::{Content, Socket, reset, write_spoiled};
use crate::world::World;

pub(crate) async fn start(mut settings: Settings) -> Result<Tenant, StartError> {
    let contract = contract().map_err(StartError)?;
    let port = settings.port;
    let failed = |error: io::Error| {
        StartError(format!(
            "Cannot listen on 127.0.0.1:{port}: {error}. Choose another port, or 0 for a free one."
        ))
    };
    if settings.clients.is_empty() {
        settings.clients.push(Client {
            id: uuid(settings.seed ^ 0xc11e, 0).replace('-', ""),
            secret: uuid(settings.seed ^ 0x5ec2, 0).replace('-', ""),
            scopes: vec![READ.to_owned(), MANAGE.to_owned()],
        });
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
    let base_url = format!("http://{}", listener.local_addr().map_err(failed)?);
    let second = match settings.redirect_downloads {
        true => Some(TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?),
        false => None,
    };
    let address = second.as_ref().map(TcpListener::local_addr).transpose().map_err(failed)?;
    let clock = Arc::new(Clock::new(settings.start, settings.frozen));
    let shared = Arc::new(Shared {
        contract,
        desk: Desk::new(&settings),
        faults: Faults::default(),
        record: Record::default(),
        world: Mutex::new(World::new(settings.clone(), Arc::clone(&clock))),
        clock,
        download_url: address.map(|address| format!("http://{address}")),
        settings,
    });
    let mut servers = vec![listen(listener, Arc::clone(&shared), false)];
    servers.extend(second.map(|listener| listen(listener, Arc::clone(&shared), true)));
    Ok(Tenant { base_url, shared, servers })
}

fn listen(listener: TcpListener, shared: Arc<Shared>, is_download: bool) -> JoinHandle<()> {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            // A connection that broke before it was accepted concerns nobody else.
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
            let connection =
                Connection { shared: Arc::clone(&shared), stream: Arc::new(stream), number, is_download };
            connections.spawn(connection.serve());
        }
    })
}

#[derive(Clone)]
struct Connection {
    shared: Arc<Shared>,
    stream: Arc<TcpStream>,
    number: u64,
    is_download: bool,
}

/// The connection is to end without (further) answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection was cut on purpose")
    }
}

impl std::error::Error for Cut {}

impl From<io::Error> for Cut {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Connection {
    async fn serve(self) {
        drop(self.stream.set_nodelay(true));
        let io = TokioIo::new(Socket(Arc::clone(&self.stream)));
        let service = service_fn(|request| self.clone().answer(request));
        // A connection that ends badly does so by order or by the client's will.
        drop(hyper::server::conn::http1::Builder::new().serve_connection(io, service).await);
    }

    async fn answer(self, request: Request<RequestBody>) -> Result<Response<Content>, Cut> {
        let shared = &self.shared;
        let _under_way = shared.record.under_way();
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes().to_vec();
        let route = if self.is_download { Route::Download } else { Route::of(shared.contract, &parts) };
        let strike = shared.faults.strike(route.name());
        let number = shared.record.begin(Received {
            at: shared.clock.date(shared.clock.now()),
            connection: self.number,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body_length: body.len(),
            body: body.clone(),
            operation: route.name().map(str::to_owned),
            status: None,
            processed: false,
        });
        let mut reply = Reply::empty(500);
        if strike.processed {
            let incoming = Incoming { number: number as u64, parts, body, shift: strike.shift() };
            let shared = Arc::clone(shared);
            let work = tokio::task::spawn_blocking(move || process(&shared, &route, &incoming));
            reply = work.await.map_err(|_| Cut)?;
        }
        let processed = strike.processed && reply.status < 400;
        shared.record.note(number, |received| received.processed = processed);
        strike.spoil(&mut reply);
        tokio::time::sleep(strike.delay()).await;
        if strike.resets() {
            reset(&self.stream)?;
            return Err(Cut);
        }
        shared.record.note(number, |received| received.status = Some(reply.status));
        reply.set_header("date", httpdate::fmt_http_date(shared.clock.date(shared.clock.now())));
        match strike.wire() {
            None => Ok(response(reply)),
            Some(wire) => {
                let (status, headers) = (reply.status, reply.headers);
                let (content, length) =
                    tokio::task::spawn_blocking(move || measured(reply.body)).await.map_err(|_| Cut)?;
                write_spoiled(&self.stream, status, &headers, content, length, wire).await?;
                Err(Cut)
            }
        }
    }
}

fn response(reply: Reply) -> Response<Content> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(content(reply.body)).unwrap_or_else(|_| {
        let mut failed = Response::new(Content::whole(Vec::new()));
        *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

fn content(body: Body) -> Content {
    match body {
        Body::Bytes(bytes) => Content::whole(bytes),
        Body::Json(value) => Content::whole(value.to_string().into_bytes()),
        Body::Zip(zip) => zip.content(),
    }
}

/// The content of an answer, and how long it is.
fn measured(body: Body) -> (Content, u64) {
    if let Body::Zip(zip) = body {
        let length = zip.length();
        return (zip.content(), length);
    }
    let content = content(body);
    let length = content.size_hint().exact().unwrap_or(0);
    (content, length)
}

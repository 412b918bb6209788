//! What the tests of exports have in common.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sailpoint_role_mining::{Client, FinishedExport, PollSchedule, RetryPolicy};
use sailpoint_role_mining_tenant::{Builder, Tenant};

/// A small tenant in which nothing takes long.
pub(crate) fn fixture() -> Builder {
    Tenant::builder().identities(400).step(Duration::from_millis(40)).rate_limit(None)
}

/// A tenant that takes ranges and whose zips are so long at least.
pub(crate) fn padded(bytes: u64) -> Builder {
    fixture().export_bytes(bytes).ranges(true)
}

/// A tenant with sessions of many roles.
pub(crate) fn many(bytes: u64) -> Builder {
    padded(bytes).identities(3000)
}

pub(crate) fn client_of(tenant: &Tenant) -> Client {
    client(tenant.base_url(), tenant.client_id(), tenant.client_secret())
}

/// The client of a process started by [`child`].
pub(crate) fn client_of_environment() -> Client {
    let variable = |name: &str| std::env::var(name).unwrap();
    client(&variable("EXPORT_URL"), &variable("EXPORT_ID"), &variable("EXPORT_SECRET"))
}

fn client(url: &str, id: &str, secret: &str) -> Client {
    let retry = RetryPolicy { base: Duration::from_millis(2), ..RetryPolicy::default() };
    Client::builder(url).credentials(id, secret).retry(retry).rate_limit(None).build().unwrap()
}

pub(crate) fn quick() -> PollSchedule {
    PollSchedule {
        least: Duration::from_millis(10),
        most: Duration::from_millis(20),
        ..PollSchedule::default()
    }
}

/// A session, and a role of it.
pub(crate) async fn role(client: &Client) -> (String, String) {
    let sessions = client.get_role_mining_sessions().send().await.unwrap();
    let session = sessions[0].id.clone().unwrap();
    let roles = client.get_potential_role_summaries().session_id(&session).send().await.unwrap();
    (session, roles[0].id.clone().unwrap())
}

pub(crate) async fn finished(tenant: &Tenant) -> FinishedExport {
    let client = client_of(tenant);
    let (session, role) = role(&client).await;
    client.export(session, role).start().await.unwrap().finish().schedule(quick()).await.unwrap()
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A process that finds in its environment what it takes to reach a tenant.
pub(crate) fn child(tenant: &Tenant, program: &Path, folder: &Path) -> Command {
    let mut child = Command::new(program);
    child.env("EXPORT_URL", tenant.base_url()).env("EXPORT_ID", tenant.client_id());
    child.env("EXPORT_SECRET", tenant.client_secret()).env("EXPORT_FOLDER", folder);
    child.stdout(std::process::Stdio::piped());
    child
}

/// A server that answers each request with the next of some bodies.
pub(crate) struct Canned(String);

impl Canned {
    pub(crate) fn start(bodies: Vec<Vec<u8>>) -> Canned {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for body in bodies {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                let length = body.len();
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
                    .unwrap();
                stream.write_all(&body).unwrap();
            }
        });
        Canned(format!("http://{address}"))
    }

    pub(crate) fn client(&self) -> Client {
        Client::builder(&self.0).bearer("token").build().unwrap()
    }
}

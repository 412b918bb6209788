//! Both zip operations give their bytes as they arrive, and as they are.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use futures_util::TryStreamExt as _;
use sailpoint_role_mining::{ByteStream, Client, Error, ResponseValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Bytes that are no text in any encoding.
const FIRST: [u8; 8] = [0x50, 0x4b, 0x03, 0x04, 0xff, 0xfe, 0x00, 0x80];
const REST: [u8; 4] = [0xc3, 0x28, 0x0d, 0x0a];

/// A server that sends the first bytes of a body, and the rest only when it is told to.
async fn halting() -> (Client, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let (go, wait) = oneshot::channel();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let read = socket.read(&mut request).await.unwrap();
        assert!(request[..read].ends_with(b"\r\n\r\n"), "the whole request came at once");
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/zip\r\ncontent-length: 12\r\n\r\n";
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&FIRST).await.unwrap();
        wait.await.unwrap();
        socket.write_all(&REST).await.unwrap();
    });
    (client, go)
}

async fn read(answer: Result<ResponseValue<ByteStream>, Error>, go: oneshot::Sender<()>) {
    let mut zip = answer.unwrap();
    assert_eq!(zip.headers()["content-type"], "application/zip");
    // It is here before the server has sent the rest, so it was not gathered first.
    assert_eq!(zip.chunk().await.unwrap().unwrap(), FIRST[..]);
    go.send(()).unwrap();
    let rest: Vec<_> = zip.into_inner().try_collect().await.unwrap();
    assert_eq!(rest.concat(), REST);
}

#[tokio::test]
async fn an_export_is_a_stream_of_bytes() {
    let (client, go) = halting().await;
    read(client.export_role_mining_potential_role().session_id("s").potential_role_id("r").send().await, go)
        .await;
}

#[tokio::test]
async fn a_download_is_a_stream_of_bytes() {
    let (client, go) = halting().await;
    let download = client.download_role_mining_potential_role_zip();
    read(download.session_id("s").potential_role_id("r").export_id("e").send().await, go).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let (client, go) = halting().await;
    let export = client.export_role_mining_potential_role().session_id("s").potential_role_id("r");
    let mut zip = export.send().await.unwrap();
    assert!(zip.chunk().await.unwrap().is_some());
    // The server's task ends without the rest, and its connection with it.
    drop(go);
    let error = zip.chunk().await.unwrap_err();
    assert!(error.is_transport(), "{error}");
    assert_eq!(error.operation(), Some("export_role_mining_potential_role"));
}

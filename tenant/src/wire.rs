//! The connection below HTTP, where answers can be cut, stalled and mislabelled for real.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::archive::Archive;
use crate::fault;

/// How long bytes get to arrive before a reset may overtake them.
const BEFORE_RESET: Duration = Duration::from_millis(50);

/// A socket that the server reads and writes while faults can reach it too.
pub(crate) struct Socket(pub(crate) Arc<TcpStream>);

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match self.0.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The socket closes when the last holder lets go of it.
        Poll::Ready(Ok(()))
    }
}

/// The bytes of an answer: all at once, or as they are made.
pub(crate) enum Content {
    Whole(Option<Bytes>),
    Stream { chunks: mpsc::Receiver<Bytes>, left: Option<u64> },
}

impl Content {
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self::Whole(Some(Bytes::from(bytes)))
    }

    /// The bytes of a zip from the one at `skip` on: so many, if their number is known.
    pub(crate) fn archive(archive: Arc<Archive>, skip: u64, left: Option<u64>) -> Self {
        let (sender, chunks) = mpsc::channel(4);
        tokio::task::spawn_blocking(move || {
            // An error here means that nobody listens any more.
            drop(archive.write(skip, left.unwrap_or(u64::MAX), Chunks(sender)));
        });
        Self::Stream { chunks, left }
    }

    async fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Whole(bytes) => bytes.take(),
            Self::Stream { chunks, .. } => chunks.recv().await,
        }
    }
}

struct Chunks(mpsc::Sender<Bytes>);

impl io::Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Bytes::copy_from_slice(bytes));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl HttpBody for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let chunk = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Stream { chunks, .. } => ready!(chunks.poll_recv(context)),
        };
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Stream { left: Some(left), .. } => SizeHint::with_exact(*left),
            Self::Stream { left: None, .. } => SizeHint::new(),
        }
    }
}

/// Writes an answer as a fault wants it. The connection must be dropped afterwards.
pub(crate) async fn write_spoiled(
    stream: &TcpStream,
    status: u16,
    headers: &[(String, String)],
    mut content: Content,
    length: u64,
    wire: &fault::Wire,
) -> io::Result<()> {
    let announced = match wire {
        fault::Wire::ContentLength { difference } => length.saturating_add_signed(*difference),
        _ => length,
    };
    let mut head =
        format!("HTTP/1.1 {status} Spoiled\r\ncontent-length: {announced}\r\nconnection: close\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| name != "content-length") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    write_all(stream, head.as_bytes()).await?;

    let pause_at = match wire {
        fault::Wire::Stall { after, .. }
        | fault::Wire::ResetInBody { after }
        | fault::Wire::Truncate { after } => *after,
        fault::Wire::ContentLength { .. } => usize::MAX,
    };
    let mut written = 0;
    let mut paused = false;
    while let Some(chunk) = content.next().await {
        let mut rest = &chunk[..];
        if !paused && written + rest.len() >= pause_at {
            let (now, later) = rest.split_at(pause_at - written);
            write_all(stream, now).await?;
            match wire {
                fault::Wire::Stall { pause, .. } => tokio::time::sleep(*pause).await,
                fault::Wire::Truncate { .. } => return Ok(()),
                fault::Wire::ResetInBody { .. } => {
                    tokio::time::sleep(BEFORE_RESET).await;
                    return reset(stream);
                }
                fault::Wire::ContentLength { .. } => {}
            }
            (rest, paused) = (later, true);
        }
        write_all(stream, rest).await?;
        written += chunk.len();
    }
    Ok(())
}

/// Makes the connection end in a reset when it is dropped.
pub(crate) fn reset(stream: &TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

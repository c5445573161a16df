//! Carries out a plan on the writing half of a connection.
//!
//! Enters: a plan and a writer. Leaves: the bytes, each after its silence; how many frames went out.
//! Never: buffers across a silence. Frames that are due together leave in one write, as a busy provider's do.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use super::request::Request;
use crate::plan::{Ending, Framing, Plan, STALL_MAX};

/// Frames due at the same moment are gathered up to this size before they are written.
const GATHER_BYTES: usize = 16 * 1024;

/// What became of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Open,
    Closed,
    Reset,
}

pub(crate) async fn perform<W: AsyncWrite + Unpin>(out: &mut W, request: &Request, plan: Plan) -> io::Result<Left> {
    let mut pending = BytesMut::new();
    pause(plan.wait).await;
    let framing = framing_for(request, &plan);
    // A cut is not announced: that is what makes it one.
    let close = request.wants_close() || framing == Framing::UntilClose;
    if framing != Framing::Raw {
        write_head(&mut pending, &plan, framing, close);
    }
    if request.method != "HEAD" || framing == Framing::Raw {
        write_body(out, &mut pending, framing, plan.frames, plan.ending).await?;
    }
    flush(out, &mut pending).await?;
    end(plan.ending, close).await
}

/// HTTP/1.0 knows no chunks.
fn framing_for(request: &Request, plan: &Plan) -> Framing {
    if plan.framing == Framing::Chunked && request.minor == 0 { Framing::UntilClose } else { plan.framing }
}

fn write_head(out: &mut BytesMut, plan: &Plan, framing: Framing, close: bool) {
    out.put_slice(format!("HTTP/1.1 {} {}\r\n", plan.status, reason(plan.status)).as_bytes());
    for (name, value) in &plan.headers {
        out.put_slice(name.as_bytes());
        out.put_slice(b": ");
        out.put_slice(value);
        out.put_slice(b"\r\n");
    }
    match framing {
        Framing::Length(_) if plan.status == 204 || plan.status == 304 => {}
        Framing::Length(bytes) => out.put_slice(format!("content-length: {bytes}\r\n").as_bytes()),
        Framing::Chunked => out.put_slice(b"transfer-encoding: chunked\r\n"),
        Framing::UntilClose | Framing::Raw => {}
    }
    if close {
        out.put_slice(b"connection: close\r\n");
    }
    out.put_slice(b"\r\n");
}

async fn write_body<W: AsyncWrite + Unpin>(
    out: &mut W,
    pending: &mut BytesMut,
    framing: Framing,
    frames: crate::plan::Frames,
    ending: Ending,
) -> io::Result<()> {
    for frame in frames {
        if !frame.wait.is_zero() {
            flush(out, pending).await?;
            pause(frame.wait).await;
        }
        if framing == Framing::Chunked && !frame.bytes.is_empty() {
            let _ = write!(pending, "{:x}\r\n", frame.bytes.len());
            pending.put_slice(&frame.bytes);
            pending.put_slice(b"\r\n");
        } else {
            pending.put_slice(&frame.bytes);
        }
        if pending.len() >= GATHER_BYTES {
            flush(out, pending).await?;
        }
    }
    if framing == Framing::Chunked && ending == Ending::Clean {
        pending.put_slice(b"0\r\n\r\n");
    }
    Ok(())
}

async fn flush<W: AsyncWrite + Unpin>(out: &mut W, pending: &mut BytesMut) -> io::Result<()> {
    if !pending.is_empty() {
        out.write_all(pending).await?;
        pending.clear();
    }
    out.flush().await
}

async fn end(ending: Ending, close: bool) -> io::Result<Left> {
    match ending {
        Ending::Clean if !close => Ok(Left::Open),
        Ending::Clean | Ending::Cut => Ok(Left::Closed),
        Ending::Reset => Ok(Left::Reset),
        Ending::Stall => {
            sleep(STALL_MAX).await;
            Ok(Left::Closed)
        }
    }
}

/// A timer of zero length would still wait for the next tick of the timer wheel.
async fn pause(wait: Duration) {
    if !wait.is_zero() {
        sleep(wait).await;
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        529 => "Overloaded",
        _ => "Status",
    }
}

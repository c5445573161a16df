//! One connection, from its first request to how it is left.
//!
//! Enters: a byte stream. Leaves: answered requests, one after the other.
//! Never: answers into the void: while a plan is carried out the caller is watched, and when it closes the plan is dropped.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::{Moment, Sandbox};
use crate::http::inbound::{Inbound, Unheard};
use crate::http::perform::{Left, perform};
use crate::http::request::Request;
use crate::plan::{Ending, Plan};
use crate::recorder::Outcome;

/// How long, and for how many bytes, a closed connection is still read, so that the caller sees the answer and not a reset.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 64 * 1024 * 1024;

/// Serves HTTP/1.1 on one connection until either side closes it.
pub async fn serve_connection<IO: AsyncRead + AsyncWrite + Unpin>(mut io: IO, sandbox: &Sandbox) {
    converse(&mut io, sandbox).await;
}

pub(super) async fn converse<IO: AsyncRead + AsyncWrite + Unpin>(io: &mut IO, sandbox: &Sandbox) -> Left {
    let (connection, _open) = sandbox.0.counters.connection();
    let left = exchange_all(io, sandbox, connection).await;
    if left == Left::Closed {
        linger(io).await;
    }
    left
}

async fn exchange_all<IO: AsyncRead + AsyncWrite + Unpin>(io: &mut IO, sandbox: &Sandbox, connection: u64) -> Left {
    let (reader, mut writer) = tokio::io::split(io);
    let mut inbound = Inbound::new(reader, sandbox.0.body_bytes_max);
    loop {
        let left = match hear(&mut inbound, &mut writer, sandbox, connection).await {
            Ok((request, plan)) => answer(&mut inbound, &mut writer, sandbox, &request, plan).await,
            Err(Unheard::Finished) => Left::Closed,
            Err(unheard) => {
                sandbox.0.counters.unheard();
                refuse(&mut writer, unheard).await
            }
        };
        if left != Left::Open {
            return left;
        }
    }
}

async fn hear<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    inbound: &mut Inbound<R>,
    writer: &mut W,
    sandbox: &Sandbox,
    connection: u64,
) -> Result<(Request, Plan), Unheard> {
    let (mut request, length) = inbound.head().await?;
    request.connection = connection;
    sandbox.0.counters.request();
    if let Some(plan) = sandbox.plan(&request, Moment::Head) {
        // The unread body would be taken for the next request, so there is none.
        let ending = if plan.ending == Ending::Clean { Ending::Cut } else { plan.ending };
        return Ok((request, plan.ending(ending)));
    }
    let expects = request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
    if expects && inbound.awaits(length) {
        proceed(writer).await.map_err(|_| Unheard::Broken)?;
    }
    request.body = inbound.body(length).await?;
    let plan = sandbox.plan(&request, Moment::Body).unwrap_or_else(|| Plan::raw(""));
    Ok((request, plan))
}

async fn proceed<W: AsyncWrite + Unpin>(writer: &mut W) -> io::Result<()> {
    writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    writer.flush().await
}

async fn answer<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    inbound: &mut Inbound<R>,
    writer: &mut W,
    sandbox: &Sandbox,
    request: &Request,
    plan: Plan,
) -> Left {
    let number = sandbox.0.recorder.note(request);
    let open = sandbox.0.counters.answer();
    let done = tokio::select! {
        // The plan first: a caller that closed its half after asking (`nc`) still gets an answer that needs no waiting.
        biased;
        done = perform(writer, request, plan) => done.ok(),
        () = inbound.gone() => None,
    };
    drop(open);
    let outcome = match done {
        Some(_) => Outcome::Answered(Instant::now()),
        None => {
            sandbox.0.counters.caller_gone();
            Outcome::CallerGone(Instant::now())
        }
    };
    sandbox.0.recorder.close(number, outcome);
    done.unwrap_or(Left::Closed)
}

async fn refuse<W: AsyncWrite + Unpin>(writer: &mut W, unheard: Unheard) -> Left {
    if let Unheard::Wrong(status, why) = unheard {
        let plan = Plan::whole(status, "text/plain", format!("{why}\n")).header("connection", "close");
        let _ = perform(writer, &Request { minor: 1, ..Request::default() }, plan).await;
    }
    Left::Closed
}

async fn linger<IO: AsyncRead + AsyncWrite + Unpin>(io: &mut IO) {
    if io.shutdown().await.is_ok() {
        let _ = timeout(LINGER, tokio::io::copy(&mut io.take(LINGER_BYTES), &mut tokio::io::sink())).await;
    }
}

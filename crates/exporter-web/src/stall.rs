//! A stream that tells the crowd what its client does, and gives up on one that doesn't read: hyper has no timeout for
//! writing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::crowd::{Doing, Seat};

/// Fails a write that has made no progress for a while, and one of an answer that takes too long as a whole.
pub(super) struct Stall<S> {
    stream: S,
    seat: Arc<Seat>,
    limit: Duration,
    answer: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
}

impl<S> Stall<S> {
    /// Gives up after `limit` without progress, and when an answer hasn't been taken within `answer`.
    pub(super) fn new(stream: S, seat: Arc<Seat>, limit: Duration, answer: Duration) -> Self {
        Self {
            stream,
            seat,
            limit,
            answer,
            timer: Box::pin(sleep(limit)),
            waiting: false,
        }
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.waiting = false;
            return outcome;
        }
        if !self.waiting {
            self.waiting = true;
            let progress = Instant::now() + self.limit;
            let deadline = match self.seat.doing() {
                (Doing::Answering, since) => progress.min(since + self.answer),
                _ => progress,
            };
            self.timer.as_mut().reset(deadline);
        }
        ready!(self.timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Bytes are to be written: of an answer, if something was asked.
    fn writes(&self) {
        if matches!(self.seat.doing().0, Doing::Running | Doing::Idle) {
            self.seat.now(Doing::Answering);
        }
    }

    /// Nothing is left to write.
    fn written(&self) {
        if self.seat.doing().0 == Doing::Answering {
            self.seat.now(Doing::Idle);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stall<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.seat.hears();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stall<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes();
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes();
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(outcome, Poll::Ready(Ok(()))) {
            self.written();
        }
        self.watch(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::Crowd;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const LIMIT: Duration = Duration::from_secs(30);

    fn seat() -> Arc<Seat> {
        let seat = Arc::new(Crowd::new(1, 1, LIMIT)).seat([127, 0, 0, 1].into());
        seat.speaks();
        seat
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stops_is_given_up_and_a_slow_one_is_not() {
        let (near, mut far) = duplex(10);
        let mut stream = Stall::new(near, seat(), LIMIT, LIMIT);
        let writing = stream.write_all(&[0; 40]);
        let reading = async {
            let mut buf = [0; 10];
            for _ in 0..3 {
                sleep(Duration::from_secs(29)).await;
                far.read_exact(&mut buf).await.expect("read");
            }
            far
        };
        let (written, mut far) = tokio::join!(writing, reading);
        written.expect("slow is not stalled");
        let begun = Instant::now();
        let error = stream.write_all(&[0; 40]).await.expect_err("stalled");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), LIMIT);
        far.shutdown().await.expect("kept open until here");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_taken_within_its_time_or_not_at_all() {
        let (near, mut far) = duplex(10);
        let seat = seat();
        let mut stream = Stall::new(near, Arc::clone(&seat), LIMIT, Duration::from_secs(60));
        seat.now(Doing::Running);
        let begun = Instant::now();
        let writing = stream.write_all(&[0; 100]);
        let reading = async {
            let mut buf = [0; 10];
            while far.read_exact(&mut buf).await.is_ok() {
                sleep(Duration::from_secs(20)).await;
            }
        };
        tokio::select! {
            written = writing => assert_eq!(written.expect_err("slow").kind(), io::ErrorKind::TimedOut),
            () = reading => panic!("never given up"),
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn the_crowd_hears_what_a_connection_does() {
        let (near, _far) = duplex(10);
        let seat = seat();
        let mut stream = Stall::new(near, Arc::clone(&seat), LIMIT, LIMIT);
        // A handshake is no answer.
        stream.write_all(b"hello").await.expect("written");
        stream.flush().await.expect("flushed");
        assert_eq!(seat.doing().0, Doing::Waiting);
        seat.now(Doing::Running);
        stream.write_all(b"hello").await.expect("written");
        assert_eq!(seat.doing().0, Doing::Answering);
        stream.flush().await.expect("flushed");
        assert_eq!(seat.doing().0, Doing::Idle);
    }
}

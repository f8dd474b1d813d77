//! A progress bar on standard error, for work of more than two seconds.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Work that is shorter shows no bar.
const APPEARS_AFTER: Duration = Duration::from_secs(2);
const REDRAWN_EVERY: Duration = Duration::from_millis(250);

/// A bar that appears by itself, and is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    ends: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// A bar of `length` runs; none at all unless `shown`.
    pub(super) fn new(length: u64, shown: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        let template = "{wide_bar} {human_pos} of {human_len} runs, {eta} left";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        let ends = shown.then(|| {
            let (sender, receiver) = channel();
            let bar = bar.clone();
            let waiter = std::thread::spawn(move || {
                if receiver.recv_timeout(APPEARS_AFTER) == Err(RecvTimeoutError::Timeout) {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(REDRAWN_EVERY);
                }
            });
            (sender, waiter)
        });
        Self { bar, ends }
    }

    /// One more run is over.
    pub(super) fn advance(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, waiter)) = self.ends.take() {
            drop(sender);
            // It only waits and draws.
            let _ = waiter.join();
        }
        self.bar.finish_and_clear();
    }
}

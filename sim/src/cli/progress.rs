//! A progress bar on standard error, for work of more than two seconds.

use crate::campaign::Tally;
use crate::report::human::{count, plural};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Work that is shorter shows no bar.
const APPEARS_AFTER: Duration = Duration::from_secs(2);
const REDRAWN_EVERY: Duration = Duration::from_millis(250);

/// What the length of a bar stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    /// So many seeds.
    Seeds(u64),
    /// So much time.
    Time(Duration),
    /// Nobody knows.
    Unknown,
}

/// A bar that appears by itself, and is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    length: Length,
    began: Instant,
    ends: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// A bar; none at all unless `shown`.
    pub(super) fn new(length: Length, shown: bool) -> Self {
        let (steps, place) = match length {
            Length::Seeds(seeds) => (seeds, "{human_pos} of {human_len} seeds, "),
            Length::Time(limit) => (millis(limit), ""),
            Length::Unknown => (0, ""),
        };
        let known = !matches!(length, Length::Unknown);
        let bar = ProgressBar::with_draw_target(known.then_some(steps), ProgressDrawTarget::hidden());
        let template = match known {
            true => format!("{{wide_bar}} {place}{{msg}}, {{eta}} left"),
            false => "{spinner} {msg}, {elapsed} so far".to_owned(),
        };
        bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
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
        Self { bar, length, began: Instant::now(), ends }
    }

    /// Work of unknown length has come so far.
    pub(super) fn say(&self, so_far: String) {
        if self.ends.is_some() {
            self.bar.set_message(so_far);
        }
    }

    /// The campaign has come so far.
    pub(super) fn show(&self, tally: Tally) {
        if self.ends.is_none() {
            return;
        }
        let elapsed = self.began.elapsed();
        self.bar.set_position(match self.length {
            Length::Seeds(_) => tally.seeds,
            Length::Time(_) | Length::Unknown => millis(elapsed),
        });
        let rate = tally.runs as f64 / elapsed.as_secs_f64().max(1e-3);
        self.bar.set_message(format!("{} runs/s, {}", count(rate as u64), plural(tally.findings, "finding")));
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
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

//! The progress bar, on standard error and only for a person who watches.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Steps from an empty folder to the closing summary.
const STEPS: u64 = 13;

/// The bar.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar that shows only on a terminal.
    pub fn start() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(STEPS), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos:>2}/{len} {elapsed:>4}  {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// The next step begins.
    pub fn step(&self, es: &str, en: &str) {
        self.0.inc(1);
        self.0.set_message(format!("{es} / {en}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

//! The one binary. What it does is in [`failproof::cli`]; here it meets the terminal.

use failproof::cli::{Console, Exit, Interrupt, main_on};
use failproof::engine::Engine;
use failproof::output::FileSystem;
use std::io::{IsTerminal, stderr, stdin, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};

static INTERRUPT: Interrupt = Interrupt::new();

/// How many panics are told in full. A machine that panics may do so in every run; reports count them all.
const PANICS_TOLD: u32 = 3;

fn main() -> ExitCode {
    let usual = take_hook();
    let told = AtomicU32::new(0);
    set_hook(Box::new(move |panic| {
        if told.fetch_add(1, Ordering::Relaxed) < PANICS_TOLD {
            usual(panic);
        }
    }));
    let handler = ctrlc::set_handler(|| {
        if INTERRUPT.request() {
            eprintln!("interrupted: the runs under way are finished first; once more to end at once");
        } else {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
    if let Err(error) = handler {
        eprintln!("warning: Ctrl-C will lose what was found: {error}");
    }
    let code = catch_unwind(AssertUnwindSafe(|| {
        let mut console = Console {
            input: &mut stdin().lock(),
            out: &mut stdout(),
            err: &mut stderr(),
            progress: stderr().is_terminal(),
            interrupt: &INTERRUPT,
            runner: &Engine::run,
            disk: &FileSystem,
        };
        main_on(std::env::args_os(), &mut console)
    }));
    ExitCode::from(code.unwrap_or_else(|_| {
        eprintln!("error: failproof itself panicked");
        Exit::Panicked.code()
    }))
}

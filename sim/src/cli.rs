//! The command line: `failproof run`, `merge`, `replay`, `shrink`, `check`, `explore`, `margin` and `haid`.
//!
//! Everything that a command touches outside this process's memory is in its [`Console`], except files. So a test
//! runs a whole command line in process, and reads what it printed.

mod arguments;
mod check;
mod explore;
mod haid;
mod margin;
mod merge;
mod print;
mod progress;
mod replay;
mod run;
mod save;
mod shrink;

use crate::campaign::Runner;
use crate::engine::Engine;
use crate::output::{Disk, FileSystem};
use crate::plan::PlanError;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// How a command ended. Of several, the later one in this order decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything held.
    #[default]
    Held,
    /// A run did not come back after its last fault.
    NotConverged,
    /// A property was violated.
    Violated,
    /// A machine or the harness panicked.
    Panicked,
    /// Wrong usage, or a file that cannot be read or written.
    Usage,
    /// Stopped by the user.
    Interrupted,
}

impl Exit {
    /// The code that the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Violated => 1,
            Self::Usage => 2,
            Self::NotConverged => 3,
            Self::Panicked => 4,
            Self::Interrupted => 130,
        }
    }
}

/// Ctrl-C: whether it was pressed, and whether the running command looks at that.
#[derive(Debug, Default)]
pub struct Interrupt {
    requested: AtomicBool,
    heeded: AtomicBool,
}

impl Interrupt {
    /// Nobody pressed it yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { requested: AtomicBool::new(false), heeded: AtomicBool::new(false) }
    }

    /// It was pressed. `true` if the running command ends by itself; `false` if the process has to be ended, because
    /// the command cannot, or because it was asked before.
    pub fn request(&self) -> bool {
        let first = !self.requested.swap(true, Ordering::Relaxed);
        first && self.heeded.load(Ordering::Relaxed)
    }

    /// From here on the command looks at the flag that is returned.
    pub(crate) fn heed(&self) -> &AtomicBool {
        self.heeded.store(true, Ordering::Relaxed);
        &self.requested
    }
}

/// What a command has to do with the outside.
pub struct Console<'a> {
    /// What a command reads line by line.
    pub input: &'a mut dyn BufRead,
    /// For results.
    pub out: &'a mut dyn Write,
    /// For complaints.
    pub err: &'a mut dyn Write,
    /// Whether progress may be shown on standard error, which is a terminal.
    pub progress: bool,
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// How a plan is run.
    pub runner: &'a Runner<'a>,
    /// Where files are created.
    pub disk: &'a dyn Disk,
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("progress", &self.progress).finish_non_exhaustive()
    }
}

/// failproof proves a failover before production does: it simulates a protocol under faults, and judges every step by
/// the TLA+ contract of the protocol.
#[derive(Debug, Parser)]
#[command(name = "failproof", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 held, 1 a property was violated, 2 wrong usage or unreadable input, 3 did not converge after healing, \
4 a machine or the harness panicked, 130 interrupted. When several apply: 130, 2, 4, 1, 3.

Example: failproof run --protocol election --rules published --seeds 0..2000 --faults store,network
         failproof run --protocol routing --rules published";

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulates many seeds under faults, and saves a plan of each failure.
    Run(run::RunArgs),
    /// Adds up what the parts of a campaign found.
    Merge(merge::MergeArgs),
    /// Runs one plan again, byte for byte.
    Replay(replay::ReplayArgs),
    /// Makes a plan that fails as small as it can be.
    Shrink(shrink::ShrinkArgs),
    /// Checks the TLA+ models against what their manifest says of each.
    Check(check::CheckArgs),
    /// Searches every state of a small world, by the machines themselves.
    Explore(explore::ExploreArgs),
    /// Computes whether I and T of an election are safe, by how much, and how long a failover takes.
    Margin(margin::MarginCommand),
    /// Encodes, decodes or checks HAIDs, one JSON line each.
    Haid(haid::HaidCommand),
}

/// Runs the command line `args`, whose first word is the program's name, and returns the exit code. There is nothing to
/// read on standard input.
pub fn main_with(args: impl IntoIterator<Item = OsString>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let interrupt = Interrupt::new();
    let mut console = Console {
        input: &mut io::empty(),
        out,
        err,
        progress: false,
        interrupt: &interrupt,
        runner: &Engine::run,
        disk: &FileSystem,
    };
    main_on(args, &mut console)
}

/// The same, with all that a command has to do with the outside.
pub fn main_on(args: impl IntoIterator<Item = OsString>, console: &mut Console<'_>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let _ = write!(console.err, "{}", error.render());
            return Exit::Usage.code();
        }
        Err(help) => return console.print(&help.render().to_string(), Exit::Held).code(),
    };
    let exit = match cli.command {
        Command::Run(args) => run::run(&args, console),
        Command::Merge(args) => merge::merge(&args, console),
        Command::Replay(args) => replay::replay(&args, console),
        Command::Shrink(args) => shrink::shrink(&args, console),
        Command::Check(args) => check::check(&args, console),
        Command::Explore(args) => explore::explore(&args, console),
        Command::Margin(args) => margin::margin(&args, console),
        Command::Haid(args) => haid::haid(&args, console),
    };
    exit.code()
}

impl Console<'_> {
    /// Prints a result, and returns `exit` unless that fails: then the result goes to standard error. A reader that had
    /// enough is no failure.
    fn print(&mut self, text: &str, exit: Exit) -> Exit {
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Ok(()) => exit,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
            Err(error) => {
                let complained = self.complain(&format!("cannot write to standard output: {error}; here it is"));
                let _ = self.err.write_all(text.as_bytes());
                exit.max(complained)
            }
        }
    }

    /// Says what is wrong with the usage, an input or an output.
    fn complain(&mut self, message: &str) -> Exit {
        // Where should a failure to complain be reported?
        let _ = writeln!(self.err, "error: {message}");
        Exit::Usage
    }
}

/// A complaint about options, in the words of the command line.
fn in_flags(error: &PlanError) -> String {
    let PlanError::Invalid { field, problem } = error else { return error.to_string() };
    let flag = match field.as_str() {
        "options.nodes" => "--nodes",
        "explore.horizon" => "--horizon",
        "explore.quantum" => "--quantum",
        "explore.crashes" => "--crashes",
        "options.utypes" => "--utypes",
        "options.gateways" => "--gateways",
        "options.servers" => "--servers",
        "options.clients" => "--clients",
        "options.contexts" => "--contexts",
        "options.time_us" => "--time",
        "options" => "--interval and --timeout",
        other => other,
    };
    format!("{flag}: {problem}")
}

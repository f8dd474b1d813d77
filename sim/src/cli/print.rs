//! How `run` and `merge` tell what a campaign found: as text, as JSON, and as JUnit XML for CI.

use super::{Console, Exit};
use crate::campaign::{CampaignReport, Setting};
use crate::output::{check_directory, write_new};
use crate::report::json::RunJson;
use crate::report::junit::junit;
use crate::report::text::RunText;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What there is to tell about a campaign.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) setting: Setting,
    pub(super) report: CampaignReport,
    /// How long it took; not known of parts that were merged.
    pub(super) wall: Option<Duration>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Printed {
    /// Write a JUnit XML file too: a test suite for each protocol, a test case for each of its properties
    #[arg(long, value_name = "FILE.xml")]
    junit: Option<PathBuf>,
    /// Print one JSON object; if several protocols were asked for, `runs` holds that of each
    #[arg(long)]
    json: bool,
    /// Print nothing but complaints; the exit code tells
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
}

impl Printed {
    /// What is wrong with the options, before anything is run.
    pub(super) fn check(&self) -> Result<(), String> {
        let Some(path) = &self.junit else { return Ok(()) };
        check_directory(path.parent().unwrap_or(path)).map_err(|error| format!("--junit: {error}"))?;
        if path.is_file() || path.is_dir() {
            return Err(format!("--junit: {} exists and is not overwritten; expected a new name", path.display()));
        }
        Ok(())
    }

    pub(super) const fn shows_progress(&self) -> bool {
        !self.json && !self.quiet
    }

    /// Tells it all, and returns `exit` unless something could not be told. `many`: several protocols were asked for.
    pub(super) fn print(&self, told: &[Told], many: bool, console: &mut Console<'_>, mut exit: Exit) -> Exit {
        if let Some(path) = &self.junit {
            let suites: Vec<_> = told.iter().map(|told| (&told.setting, &told.report)).collect();
            let written = match junit(&suites) {
                Ok(text) => write_new(console.disk, path, &text).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = written {
                exit = exit.max(console.complain(&format!("--junit: {error}")));
            }
        }
        if self.quiet {
            return exit;
        }
        if !self.json {
            let text = |Told { setting, report, wall }: &Told| RunText { setting, report, wall: *wall }.to_string();
            return console.print(&told.iter().map(text).collect::<Vec<_>>().join("\n"), exit);
        }
        let runs: Vec<_> = told.iter().map(|told| RunJson::new(&told.setting, &told.report, told.wall)).collect();
        let text = match runs.as_slice() {
            [one] if !many => serde_json::to_string(one),
            _ => serde_json::to_string(&BTreeMap::from([("runs", runs)])),
        };
        match text {
            Ok(text) => console.print(&(text + "\n"), exit),
            Err(error) => exit.max(console.complain(&format!("cannot print the report: {error}"))),
        }
    }
}

//! `failproof merge`: the parts of a campaign as one report; of each protocol, if it was of several.

use super::print::{Printed, Told};
use super::run::exit_of;
use super::{Console, Exit};
use crate::campaign::{CampaignReport, Ending, REPORT_FILE, SavedReport, Setting};
use crate::protocols;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failproof merge parts/* --junit failproof.xml
         The parts are what `failproof run --shard i/n --out parts/i` wrote. The report is that of a run without
         --shard, to the trace hash; of --protocol all, there is a report for each protocol. Exits with 2 if parts are
         missing, after telling what the others found.")]
pub(super) struct MergeArgs {
    /// The directories of all parts, in any order
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    printed: Printed,
}

pub(super) fn merge(args: &MergeArgs, console: &mut Console<'_>) -> Exit {
    let parts = match args.printed.check().and_then(|()| read(&args.folders)) {
        Ok(parts) => parts,
        Err(problem) => return console.complain(&problem),
    };
    let (mut exit, mut told) = (Exit::Held, Vec::new());
    let campaigns: Vec<_> = parts.chunk_by(|a, b| a.protocol() == b.protocol()).collect();
    for parts in &campaigns {
        let (setting, report) = add_up(parts);
        exit = exit.max(exit_of(&report));
        for gap in gaps(parts) {
            let whose = if campaigns.len() > 1 { format!("{}: ", setting.protocol) } else { String::new() };
            exit = exit.max(console.complain(&format!("{whose}{gap}")));
        }
        told.push(Told { setting, report, wall: None });
    }
    args.printed.print(&told, campaigns.len() > 1, console, exit)
}

/// A part, and where it was found.
struct Part {
    folder: PathBuf,
    saved: SavedReport,
}

impl Part {
    fn protocol(&self) -> &str {
        &self.saved.setting.protocol
    }
}

/// The directories of single protocols that are meant: where `--protocol all` wrote, there is one for each.
fn folders_of_protocols(folder: &Path) -> Vec<PathBuf> {
    let holds_report = |folder: &PathBuf| folder.join(REPORT_FILE).exists();
    let whole = folder.to_owned();
    let below: Vec<_> = protocols::names().map(|name| folder.join(name)).filter(holds_report).collect();
    if below.is_empty() || holds_report(&whole) { vec![whole] } else { below }
}

/// Reads all parts, in the order of their protocols and seeds. Those of one protocol must be of one campaign, and no seed
/// may be in two of them.
fn read(folders: &[PathBuf]) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for folder in folders.iter().flat_map(|folder| folders_of_protocols(folder)) {
        let mut saved = SavedReport::read(&folder).map_err(|error| error.to_string())?;
        saved.report.kept_mut().for_each(|finding| finding.at_home(&folder));
        parts.push(Part { folder, saved });
    }
    parts.sort_by_key(|part| {
        (protocols::names().position(|name| name == part.protocol()), part.saved.setting.seeds.start)
    });
    let pairs = parts.windows(2).map(|pair| [&pair[0], &pair[1]]);
    for [one, other] in pairs.filter(|[one, other]| one.protocol() == other.protocol()) {
        let (a, b) = (&one.saved.setting, &other.saved.setting);
        if let Some(what) = a.difference(b) {
            return Err(format!(
                "{} and {} are not of one campaign: {what}; expected parts that differ in --shard only",
                one.folder.display(),
                other.folder.display()
            ));
        }
        if a.seeds.end > b.seeds.start {
            return Err(format!(
                "{} and {} both hold seed {}; expected each part once",
                one.folder.display(),
                other.folder.display(),
                b.seeds.start
            ));
        }
    }
    Ok(parts)
}

fn add_up(parts: &[Part]) -> (Setting, CampaignReport) {
    let setting = &parts[0].saved.setting;
    let setting = Setting { seeds: setting.campaign.clone(), ..setting.clone() };
    let mut report = CampaignReport { asked: setting.seeds.end - setting.seeds.start, ..CampaignReport::default() };
    for Part { saved, .. } in parts {
        report.ending = report.ending.max(saved.report.ending);
        report.merge(saved.report.clone());
    }
    if !gaps(parts).is_empty() {
        report.ending = report.ending.max(Ending::Incomplete);
    }
    (setting, report)
}

/// The seeds of the campaign that no part was to run.
fn gaps(parts: &[Part]) -> Vec<String> {
    let whole = &parts[0].saved.setting.campaign;
    let held = parts.iter().map(|part| &part.saved.setting.seeds);
    let begins = held.clone().map(|seeds| seeds.start).chain([whole.end]);
    let ends = std::iter::once(whole.start).chain(held.map(|seeds| seeds.end));
    let between = ends.zip(begins).filter(|(end, begin)| end < begin);
    between
        .map(|(end, begin)| format!("seeds {end}..{begin} are in none of the directories; expected all parts"))
        .collect()
}

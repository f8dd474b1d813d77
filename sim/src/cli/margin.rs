//! `failproof margin`: the arithmetic of I and T of the election, before anything is simulated.

use super::arguments::decide_by;
use super::{Console, Exit};
use crate::election;
use crate::margin::{self, MarginArgs};
use crate::options::Options;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failproof margin --interval 1s --timeout 5s --drift 0.001 --pause 2s --lost 1
         Exits with 1 if two primaries may work at once, or a primary cannot renew in time.")]
pub(super) struct MarginCommand {
    #[command(flatten)]
    question: MarginArgs,
    /// Under which decisions of the election: hardened, published, client_go, shedlock, or a JSON file with every switch
    #[arg(long, default_value = "hardened")]
    rules: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn margin(args: &MarginCommand, console: &mut Console<'_>) -> Exit {
    let mut options = Options::from(election::Options::default());
    if let Err(problem) = decide_by(&args.rules, &mut options) {
        return console.complain(&problem);
    }
    let margin = match margin::margin(&args.question.query(options.own::<election::Options>().rules)) {
        Ok(margin) => margin,
        Err(error) => return console.complain(&error.to_string()),
    };
    let exit = if margin.safe { Exit::Held } else { Exit::Violated };
    let text = if args.json { serde_json::to_string(&margin) } else { Ok(margin.to_string()) };
    match text {
        Ok(text) => console.print(&format!("{}\n", text.trim_end()), exit),
        Err(error) => exit.max(console.complain(&format!("cannot print the answer: {error}"))),
    }
}

//! The protocols that can be simulated, by name: the one place that leads from a plan to the types of its protocol.

use crate::chance::Stream;
use crate::distribution::Distribution;
use crate::election::Election;
use crate::engine::fast;
#[cfg(madsim)]
use crate::engine::madsim;
use crate::fault::{FaultClass, Place};
use crate::generate;
use crate::mutate::{self, Moment};
use crate::options::Options;
use crate::plan::{Plan, Task};
use crate::protocol::{Actor, Protocol, Tale, Words};
use crate::report::RunReport;
use crate::routing::Routing;
use crate::trace::Record;
use failproof_spec::ContractName;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A protocol whose types are not named.
pub(crate) trait Known: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// The contract that its runs are judged by.
    fn contract(&self) -> ContractName;
    /// What reports call what it does.
    fn words(&self) -> &'static Words;
    /// What timelines call what it does.
    fn tale(&self) -> &'static Tale;
    /// See [`Protocol::cast`].
    fn cast(&self, plan: &Plan) -> Vec<Actor>;
    /// Its options as they usually are.
    fn usual(&self) -> Options;
    /// Its options from what was written.
    fn options(&self, written: serde_json::Value) -> serde_json::Result<Options>;
    /// A plan of it; errors name line and column.
    fn read_plan(&self, text: &str) -> serde_json::Result<Plan>;
    /// All places of a plan.
    fn places(&self, plan: &Plan) -> Vec<Place>;
    /// See [`Protocol::may_forget`].
    fn may_forget(&self, place: Place) -> bool;
    /// See [`Protocol::knows`].
    fn knows(&self, kind: &str) -> bool;
    /// See [`Protocol::check_task`].
    fn check_task(&self, plan: &Plan, task: &Task) -> Result<(), (&'static str, String)>;
    /// See [`generate::generate`].
    fn generate(&self, seed: u64, options: &Options, classes: &[FaultClass]) -> Plan;
    /// See [`mutate::mutate`].
    fn mutate(&self, scene: [Moment<'_>; 2], options: &Options, classes: &[FaultClass], stream: Stream) -> Plan;
    /// Runs a plan by the reference engine.
    fn fast(&self, plan: Arc<Plan>, record: bool) -> (RunReport, Vec<Record>);
    /// Runs a plan under madsim.
    #[cfg(madsim)]
    fn madsim(&self, plan: Arc<Plan>, record: bool) -> (RunReport, Vec<Record>);
}

struct Of<P>(PhantomData<fn() -> P>);

/// All of them, in the order of `--protocol all`.
static ALL: [&dyn Known; 3] =
    [&Of::<Election>(PhantomData), &Of::<Routing>(PhantomData), &Of::<Distribution>(PhantomData)];

/// The one that is meant where none is named.
pub const USUAL: &str = Election::NAME;

/// All protocols.
pub(crate) fn all() -> impl Iterator<Item = &'static dyn Known> {
    ALL.into_iter()
}

/// The names of all protocols.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|known| known.name())
}

/// The protocol of this name.
///
/// # Errors
/// A sentence that says which there are.
pub(crate) fn named(name: &str) -> Result<&'static dyn Known, String> {
    let known = all().find(|known| known.name() == name);
    known.ok_or_else(|| format!("unknown protocol `{name}`; expected {}", names().collect::<Vec<_>>().join(" or ")))
}

/// The protocol that these options are of.
///
/// # Panics
/// When it is not listed here.
pub(crate) fn of(options: &Options) -> &'static dyn Known {
    named(options.protocol()).unwrap_or_else(|problem| panic!("{problem}"))
}

/// What reports call what the protocol of these options does.
#[must_use]
pub fn words(options: &Options) -> &'static Words {
    of(options).words()
}

/// The contract that runs with these options are judged by.
#[must_use]
pub fn contract(options: &Options) -> ContractName {
    of(options).contract()
}

/// The properties that runs break which do not come back, of all protocols.
pub(crate) fn convergence_properties() -> impl Iterator<Item = &'static str> {
    all().map(|known| known.words().comes_back)
}

/// Whether it is a property that runs break which do not come back.
pub(crate) fn is_convergence(property: &str) -> bool {
    convergence_properties().any(|known| known == property)
}

impl fmt::Debug for dyn Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<P: Protocol> Known for Of<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn contract(&self) -> ContractName {
        P::CONTRACT
    }

    fn words(&self) -> &'static Words {
        &P::WORDS
    }

    fn tale(&self) -> &'static Tale {
        &P::TALE
    }

    fn cast(&self, plan: &Plan) -> Vec<Actor> {
        P::cast(plan)
    }

    fn usual(&self) -> Options {
        P::Options::default().into()
    }

    fn options(&self, written: serde_json::Value) -> serde_json::Result<Options> {
        serde_json::from_value::<P::Options>(written).map(Into::into)
    }

    fn read_plan(&self, text: &str) -> serde_json::Result<Plan> {
        serde_json::from_str::<Plan<P::Options>>(text)?.try_map(|options| Ok(options.into()))
    }

    fn places(&self, plan: &Plan) -> Vec<Place> {
        P::places(P::options(plan))
    }

    fn may_forget(&self, place: Place) -> bool {
        P::may_forget(place)
    }

    fn knows(&self, kind: &str) -> bool {
        P::knows(kind)
    }

    fn check_task(&self, plan: &Plan, task: &Task) -> Result<(), (&'static str, String)> {
        P::check_task(P::options(plan), task)
    }

    fn generate(&self, seed: u64, options: &Options, classes: &[FaultClass]) -> Plan {
        generate::generate_for::<P>(seed, options.own(), classes)
    }

    fn mutate(&self, scene: [Moment<'_>; 2], options: &Options, classes: &[FaultClass], stream: Stream) -> Plan {
        mutate::mutate_for::<P>(scene, options.own(), classes, stream)
    }

    fn fast(&self, plan: Arc<Plan>, record: bool) -> (RunReport, Vec<Record>) {
        fast::run::<P>(plan, record)
    }

    #[cfg(madsim)]
    fn madsim(&self, plan: Arc<Plan>, record: bool) -> (RunReport, Vec<Record>) {
        madsim::run::<P>(plan, record)
    }
}

//! What the harness once found under hardened rules: each plan in `plans/found` holds now, on both engines.
//!
//! | plan | what went wrong | what was mended |
//! |---|---|---|
//! | `late-claim-after-resignation` | a duplicated claim was granted after its sender had become primary and another one resigned | the table: a resigned entry stays, so that claims from before it are told from later ones |
//! | `late-claim-after-rollback` | a late claim of a candidate that had started over was granted when the grace was over, and nobody worked for T | the table: a claim names the generation in which its sender read the entry empty |
//! | `late-claims-add-up` | two faults delayed the same claims, longer than the plan said they could be felt | the plan: delays of faults that overlap add up |
//! | `acknowledged-by-a-former-owner` | a former owner repeated a change whose answer the owner had lost, was told that it is in the row, and told the client; the owner's cache lacked it | the context table: a repeated change counts as done for the owner only |
//! | `answer-to-an-earlier-process` | an operation of a server's earlier process reached the store late, and its answer bore the number of a write that the present process waited for | the server: an answer counts only in the term in which it was asked for |
//! | `acknowledged-and-not-remembered` | a server acknowledged a change while its term seemed over and did not remember it; then the answer to a heartbeat renewed the term, and it went on from the older state | the server: what it tells it remembers; whether it serves from that is decided when it does |

use failproof::engine::Engine;
use failproof::plan::Plan;
use std::fs;
use std::path::Path;
use std::sync::Arc;

#[test]
fn what_was_found_once_holds_now() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/found");
    let mut replayed = 0;
    for entry in fs::read_dir(&folder).expect("the folder of plans") {
        let path = entry.expect("an entry").path();
        let plan = Plan::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(plan.options.rules_name(), "hardened", "{}", path.display());
        let plan = Arc::new(plan);
        let engines: &[Engine] = if cfg!(madsim) { &[Engine::Fast, Engine::Madsim] } else { &[Engine::Fast] };
        for engine in engines {
            let (report, _) = engine.run(&plan, false).expect("no panic");
            assert_eq!(report.violations, [], "{} by {engine}", path.display());
            let late = report.convergence.is_none_or(|convergence| convergence.is_late());
            assert!(!late, "{} by {engine}: nobody came back in time", path.display());
        }
        replayed += 1;
    }
    assert!(replayed >= 6, "only {replayed} plans");
}

//! Whatever the contracts and models say is exercised, or the manifest explains why not; and what is idle is noticed.
//!
//! Method: the report of `failproof check --vacuity` on the manifest. Then one thing is made idle on purpose, or explained
//! in vain, and the report has to name it.

use failproof::models::{self, Checker, Idle, Manifest, Vacuity};
use failproof::visits::{self, Visits};
use failproof_spec::ContractName;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The runs of the fixed campaign, made once.
fn visits() -> &'static [Visits] {
    static VISITS: OnceLock<Vec<Visits>> = OnceLock::new();
    VISITS.get_or_init(|| visits::all(2))
}

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/tla")
}

/// The report on a manifest, with these runs.
fn report(manifest: &Path, visits: &[Visits]) -> Vacuity {
    let (manifest, bench) = models::open(Some(manifest), Checker::InProcess).expect("the manifest can be read");
    let chosen: Vec<_> = manifest.models.iter().filter(|model| !model.slow).collect();
    models::vacuity(&manifest, &bench, &chosen, visits).expect("the models can be read")
}

#[test]
fn whatever_is_idle_is_explained() {
    let found = report(&spec().join("manifest.toml"), visits());
    assert!(found.is_explained(), "{:#?} {:#?}", found.unexplained().collect::<Vec<_>>(), found.stale);
    let lost = found.idle.iter().find(|entry| entry.what == Idle::Action("LeaderLost".to_owned()));
    let lost = lost.expect("the published model can lose no lease");
    assert_eq!(lost.module, "Hpcha");
    assert!(lost.why.as_ref().is_some_and(|why| why.contains("no model of this kind can lose a lease")), "{lost:?}");
    assert!(found.modules.iter().all(|looked| looked.actions > 5 && looked.guards > 5), "{:?}", found.modules);
    assert_eq!(found.contracts.len(), 3);
    assert!(found.contracts.iter().all(|toured| toured.kinds.0 * 2 > toured.kinds.1), "{:?}", found.contracts);
}

/// A folder with the lease, one change in its module, and the manifest with these explanations.
fn planted(name: &str, from: &str, to: &str, explained: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted_vacuity").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let read = |name: &str| fs::read_to_string(spec().join("election").join(name)).expect("a file");
    let module = read("Lease.tla").replacen(from, to, 1);
    assert!(from == to || module != read("Lease.tla"), "the module holds no `{from}`");
    fs::write(folder.join("Lease.tla"), module).expect("a file");
    fs::write(folder.join("Lease.cfg"), read("Lease.cfg")).expect("a file");
    let mut manifest = "[[model]]\nname = \"Lease\"\nmodule = \"Lease.tla\"\ncfg = \"Lease.cfg\"\n\
                        expect.holds = { states = 166, depth = 10 }\n"
        .to_owned();
    for (at, property) in ["AtMostOneWorkingPrimary", "NoStaleEffect", "SealedBeforeWork"].iter().enumerate() {
        manifest += &format!(
            "[[model]]\nname = \"broken {at}\"\nmodule = \"Lease.tla\"\ncfg = \"Lease.cfg\"\n\
             expect.violates = {{ property = \"{property}\", states = 3 }}\n"
        );
    }
    manifest += explained;
    let path = folder.join("manifest.toml");
    fs::write(&path, manifest).expect("a file");
    path
}

fn explained(what: &str) -> String {
    format!("[[vacuous]]\nmodule = \"Lease\"\nwhat.{what}\nwhy = \"it is planted\"\n")
}

/// What is idle in a planted folder, without runs: what, and where.
fn idle(path: &Path) -> Vec<(Idle, String)> {
    report(path, &[]).unexplained().map(|entry| (entry.what.clone(), entry.place.clone())).collect()
}

#[test]
fn what_is_made_idle_is_named_with_its_line() {
    let type_ok = explained("property = \"TypeOK\"");
    assert_eq!(idle(&planted("nothing", "", "", &type_ok)), []);
    let cases = [
        (
            "action",
            "  /\\ owner # a\n",
            "  /\\ owner # a /\\ owner = a\n",
            Idle::Action("Retire".into()),
            "Retire(a) ==",
        ),
        (
            "true",
            "  /\\ owner # a\n",
            "  /\\ owner # a\n  /\\ Cardinality(works) < 3\n",
            Idle::Guard("Retire: Cardinality(works) < 3".into()),
            "Retire(a) ==",
        ),
        (
            "within",
            "  /\\ Open(a) = {}\n",
            "  /\\ Open(a) = {}\n  /\\ owner \\in Actor \\cup {Nobody}\n",
            Idle::Guard("MayWork: owner \\in Actor \\cup {Nobody}".into()),
            "MayWork(a) ==",
        ),
        (
            "property",
            "AtMostOneWorkingPrimary ==",
            "NoStaleEffekt == TRUE\nAtMostOneWorkingPrimary ==",
            Idle::Property("NoStaleEffekt".into()),
            "NoStaleEffekt ==",
        ),
    ];
    for (name, from, to, what, definition) in cases {
        let path = planted(name, from, to, &type_ok);
        let folder = path.parent().expect("a folder");
        if let Idle::Property(property) = &what {
            let cfg = fs::read_to_string(folder.join("Lease.cfg")).expect("a file");
            fs::write(folder.join("Lease.cfg"), cfg.replace("  TypeOK\n", &format!("  TypeOK\n  {property}\n")))
                .expect("a file");
        }
        let module = fs::read_to_string(folder.join("Lease.tla")).expect("a file");
        let line = module.lines().position(|line| line.starts_with(definition)).expect("such a line") + 1;
        let found = idle(&path);
        let place = format!("{}:{line}", folder.join("Lease.tla").display());
        assert!(found.contains(&(what.clone(), place)), "{name}: {found:?}");
    }
}

#[test]
fn explanations_of_what_is_not_idle_are_named() {
    let type_ok = explained("property = \"TypeOK\"");
    for what in [
        "action = \"Grant\"",
        "action = \"Grand\"",
        "guard = \"Retire: owner # a\"",
        "guard = \"Retire: owner = a\"",
        "property = \"NoStaleEffect\"",
        "property = \"TypeKO\"",
    ] {
        let path = planted("stale", "", "", &(type_ok.clone() + &explained(what)));
        let found = report(&path, &[]);
        assert_eq!(found.unexplained().count(), 0, "{what}");
        let places: Vec<_> = found.stale.iter().map(|stale| stale.place.clone()).collect();
        let text = fs::read_to_string(&path).expect("the manifest");
        let line = text.lines().count() - 2;
        assert_eq!(places, [format!("{}:{line}", path.display())], "{what}");
    }
}

#[test]
fn an_edge_that_no_run_takes_any_more_is_named() {
    let manifest = spec().join("manifest.toml");
    let kind = "StepUp(a) works=-->a";
    for (at, taken) in [(0, kind), (1, "Forget(a) cache=current->none")] {
        let mut fewer = visits().to_vec();
        let times = fewer[at].kinds.get_mut(taken).expect("a kind of edge");
        assert!(times.visited > 0, "{taken}");
        times.visited = 0;
        let found = report(&manifest, &fewer);
        let named: Vec<_> = found.unexplained().map(|entry| entry.what.clone()).collect();
        assert_eq!(named, [Idle::Edge(taken.to_owned())]);
    }
    // The other way round: what the manifest calls idle is taken.
    let mut more = visits().to_vec();
    let (idle, times) = more[0].kinds.iter_mut().find(|(_, times)| times.visited == 0).expect("an idle kind");
    times.visited = 1;
    let idle = Idle::Edge(idle.clone());
    let found = report(&manifest, &more);
    assert_eq!(found.stale.iter().map(|stale| stale.what.clone()).collect::<Vec<_>>(), [idle]);
}

/// A property about which no row, no model and no run is, such as one that cannot fail.
#[test]
fn a_property_that_no_run_breaks_is_named() {
    let path = spec().join("manifest.toml");
    let text = fs::read_to_string(&path).expect("the manifest");
    let mut fewer = visits().to_vec();
    let lease = fewer.iter_mut().find(|visits| visits.contract == ContractName::Lease).expect("the lease");
    assert!(lease.broken.remove("OnlyPrimariesIssue"), "published rules break it: {:?}", lease.broken);
    let found = report(&path, &fewer);
    let named: Vec<_> = found.unexplained().map(|entry| (entry.module.as_str(), entry.what.clone())).collect();
    assert_eq!(named, [("Lease", Idle::Property("OnlyPrimariesIssue".to_owned()))]);
    assert!(Manifest::parse(&(text + "[[vacuous]]\nmodule = \"Lease\"\nwhat.action = \"X\"\n"), &path).is_err());
}

#[test]
fn the_command_ends_with_one_for_what_is_not_explained() {
    let path = planted("command", "", "", "");
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["failproof", "check", "--vacuity", "--json", "--jobs", "2", "--manifest"].map(std::ffi::OsString::from);
    let code = failproof::cli::main_with(args.into_iter().chain([path.into()]), &mut out, &mut err);
    let told: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!((code, &told["as_expected"]), (1, &serde_json::Value::Bool(false)));
    let idle = told["idle"].as_array().expect("entries");
    let named = |what: serde_json::Value| idle.iter().any(|entry| entry["what"] == what && entry["why"].is_null());
    assert!(named(serde_json::json!({ "property": "TypeOK" })), "{told}");
}

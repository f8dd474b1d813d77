//! failproof
use failproof::defence;
use failproof::election::generate;
use failproof::engine::Engine;
use failproof::fault::FaultClass;
use failproof::options::Options;
use failproof_core::election::Rules;
use std::collections::BTreeMap;
use std::sync::Arc;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let n: u64 = args[2].parse().unwrap();
    let classes: Vec<FaultClass> = FaultClass::ALL.into_iter().filter(|c| args[3].contains(c.name()) || args[3] == "swarm").collect();
    let mut options = Options::default();
    options.rules = match args[1].as_str() {
        "published" => Rules::published(),
        "hardened" => Rules::hardened(),
        x if x.starts_with('-') => defence::with(Rules::hardened(), &x[1..], false),
        x => defence::with(Rules::published(), &x[1..], true),
    };
    if args[1] == "bench" {}
    if args.len() > 5 {
        let seed: u64 = args[2].parse().unwrap(); let at: f64 = args[4].parse().unwrap(); let w: f64 = args[5].parse().unwrap();
        let plan = Arc::new(generate(seed, &options, &classes));
        for f in &plan.faults { if (f.at_us as f64/1e6) < at+1.0 && (f.quiet_us() as f64/1e6) > at - 20.0 { println!("{f}"); } }
        for c in &plan.options.clocks { println!("{c:?}"); }
        println!("{:?} {:?}", plan.noise, plan.workload);
        let (r, recs) = Engine::Fast.run(&plan, true).unwrap();
        for v in &r.violations { println!("{v:?}"); } for x in &recs { for o in &x.outputs { if o.contains("TermEnded") || o.contains("Deposed") || o.contains("SteppedUp") { println!("{:.3} {} {o}", x.true_us as f64/1e6, x.actor); } } } println!("{plan}");
        for x in recs { let t = x.true_us as f64/1e6; if t > at - w && t < at + 0.2 { println!("{:.6} {} {} {} | {} | {:?} {} | {:?}", t, x.node, x.actor, x.node_us, x.cause, x.action, x.state, x.outputs); } }
        return;
    }
    let t = std::time::Instant::now();
    let mut props: BTreeMap<&str, (u64, u64, String)> = BTreeMap::new();
    let (mut margin, mut trusted, mut doubted, mut near, mut notconv, mut worst, mut events, mut expo) = (u64::MAX, 0, 0, 0, 0, 0.0f64, 0, 0);
    let mut faults: BTreeMap<String, u64> = BTreeMap::new();
    let mut cov: Option<failproof_spec::Coverage> = None;
    let (mut without, mut led, mut fsd) = (0, 0, 0);
    for seed in 0..n {
        let plan = generate(seed, &options, &classes);
        plan.check().unwrap();
        let plan = Arc::new(plan);
        let (r, _) = match Engine::Fast.run(&plan, false) { Ok(x) => x, Err(e) => { println!("seed {seed} PANIC {e:?}"); continue; } };
        for v in &r.violations { let e = props.entry(v.property).or_insert((0, seed, format!("{:.3} {}", v.at_us as f64/1e6, v.story))); e.0 += 1; }
        if let Some(m) = r.margin_smallest_us { margin = margin.min(m); if m < 500_000 { near += 1; } }
        trusted += r.trusted_us; doubted += r.doubted_us; events += r.events; expo = expo.max(r.exposure.longest_us);
        if r.false_step_downs > 0 && fsd < 8 { println!("fsd seed {seed}"); } without += r.without_primary_us; led += r.led_us; fsd += r.false_step_downs;
        for (k, v) in &r.faults { *faults.entry(k.clone()).or_default() += v; }
        if let Some(c) = &r.coverage { match &mut cov { Some(x) => x.merge(c), None => cov = Some(c.clone()) } }
        let c = r.convergence.unwrap();
        match c.after_us { Some(a) => { let x = a as f64 / c.bound_us as f64; if x > 1.0 { notconv += 1; if notconv < 5 { println!("seed {seed} late {a} bound {}", c.bound_us); } } worst = worst.max(x); } None if c.told => { notconv += 1; if notconv < 5 { println!("seed {seed} never converged");} } None => println!("seed {seed} untold") }
    }
    for (p, (c, s, story)) in &props { println!("{p}: {c} first seed {s} at {story}"); }
    println!("margin {margin} near {near} trusted {:.3} notconv {notconv} worst {worst:.3} expo {expo} without {:.4} fsd {fsd}", trusted as f64 / (trusted + doubted) as f64, without as f64 / led as f64);
    println!("{faults:?}");
    let cov = cov.unwrap();
    println!("edges {:?} {:?}", cov.edges(), failproof_spec::Action::ALL.map(|a| (a.name(), cov.count(a))));
    let s = t.elapsed().as_secs_f64();
    println!("{s:.2} s {:.0} h/s {:.0} ns/event", n as f64 * options.time_us as f64 / 3.6e9 / s, s * 1e9 / events as f64);
}

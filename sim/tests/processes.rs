//! What only whole processes show: campaigns in parts, kills at any moment, Ctrl-C, and a disk that is full.
#![cfg(unix)]

use failproof::campaign::{REPORT_FILE, SavedReport};
use failproof::plan::Plan;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn failproof(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_failproof"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// An empty directory for one test.
fn folder(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("processes").join(test);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn ran(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "kill {signal}");
}

/// A report without what may differ: how long it took, and where the plans lie.
fn comparable(text: &str) -> Value {
    let mut report: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    report["wall_seconds"].take();
    for kind in ["violations", "not_converged", "panics", "disagreements"] {
        for found in report[kind].as_array_mut().unwrap() {
            let name = |plan: &Value| {
                plan.as_str().map(|plan| Path::new(plan).file_name().unwrap().to_str().unwrap().to_owned())
            };
            let plan = name(&found["plan"]);
            assert!(plan.is_some(), "{found}");
            found["plan"] = plan.into();
            if found["shrunk"].is_object() {
                found["shrunk"]["plan"] = name(&found["shrunk"]["plan"]).into();
            }
        }
    }
    report
}

#[test]
fn four_shards_in_four_processes_merge_into_the_whole() {
    let folder = folder("shards");
    let campaign =
        ["run", "--rules", "published", "--time", "20s", "--seeds", "0..4000", "--jobs", "1", "--json", "--out"];
    let start = |part: &str, more: &[&str]| {
        let out = folder.join(part);
        failproof(&[&campaign[..], &[text_of(&out)], more].concat()).spawn().unwrap()
    };
    let parts = ["1", "2", "3", "4"];
    let shards: Vec<_> = parts.iter().map(|part| start(part, &["--shard", &format!("{part}/4")])).collect();
    for shard in shards {
        let (code, out, err) = ran(&shard.wait_with_output().unwrap());
        assert_eq!((code, err.as_str()), (Some(1), ""), "{out}");
    }
    let (code, whole, _) = ran(&start("whole", &[]).wait_with_output().unwrap());
    assert_eq!(code, Some(1));

    let folders = parts.map(|part| folder.join(part));
    let xml = folder.join("failproof.xml");
    let merge = |folders: &[&Path], more: &[&str]| {
        let folders: Vec<_> = folders.iter().map(|folder| text_of(folder)).collect();
        ran(&failproof(&[&["merge"], &folders[..], more].concat()).output().unwrap())
    };
    let in_any_order = [&*folders[2], &*folders[0], &*folders[3], &*folders[1]];
    let (code, merged, err) = merge(&in_any_order, &["--json", "--junit", text_of(&xml)]);
    assert_eq!((code, err.as_str()), (Some(1), ""));
    assert_eq!(comparable(&merged), comparable(&whole));
    assert!(fs::read_to_string(&xml).unwrap().contains("<failure message=\"broken in "));
    let plan = serde_json::from_str::<Value>(&merged).unwrap()["violations"][0]["plan"].as_str().unwrap().to_owned();
    assert!(Path::new(&plan).exists(), "{plan}");

    let (code, out, err) = merge(&in_any_order[..3], &[]);
    assert_eq!(code, Some(2), "{out}");
    assert!(err.contains("seeds 1000..2000 are in none of the directories"), "{err}");
    assert!(out.starts_with("incomplete, after 3,000 of 4,000 seeds; so far "), "{out}");
    let (code, _, err) = merge(&[&*folders[0], &*folders[0]], &[]);
    assert!(code == Some(2) && err.contains("both hold seed 0"), "{err}");
    let (code, _, err) = merge(&[&*folders[0], &folder.join("whole")], &[]);
    assert!(code == Some(2) && err.contains("both hold seed 0"), "{err}");
    let (code, _, err) = merge(&[&folder.join("nowhere")], &[]);
    assert!(code == Some(2) && err.contains("nowhere"), "{err}");
    fs::write(folder.join("report.json"), "{").unwrap();
    let (code, _, err) = merge(&[&folder], &[]);
    assert!(code == Some(2) && err.contains("is no report"), "{err}");
}

/// The manifest of the documentation does what it says, on a machine that calls itself a Slurm array of two.
#[test]
fn the_slurm_manifest_runs_parts_that_merge() {
    let folder = folder("slurm");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let binary = Path::new(env!("CARGO_BIN_EXE_failproof")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    for part in ["1", "2"] {
        let script = Command::new("bash")
            .arg(here.join("../docs/slurm-array.sh"))
            .envs([("SLURM_ARRAY_TASK_ID", part), ("SLURM_ARRAY_TASK_COUNT", "2"), ("SEEDS", "999..1001")])
            .envs([("OUT", text_of(&folder)), ("PATH", &path)])
            .output()
            .unwrap();
        let (code, out, err) = ran(&script);
        assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", ""));
    }
    let folders = [folder.join("1"), folder.join("2")];
    let args = [&["merge"][..], &folders.each_ref().map(|folder| text_of(folder))].concat();
    let (code, out, _) = ran(&failproof(&args).output().unwrap());
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("2 seeds from 999"), "{out}");
}

/// Every file in `folder` is a whole plan, or a whole report. Returns how many plans there are.
fn whole_files(folder: &Path) -> usize {
    let mut plans = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() == REPORT_FILE {
            SavedReport::read(folder).unwrap_or_else(|error| panic!("{error}"));
        } else {
            Plan::read(&path).unwrap_or_else(|error| panic!("{error}"));
            plans += 1;
        }
    }
    plans
}

/// Method: one undisturbed run says how long it takes and what it leaves; then 50 runs are killed at moments spread over
/// that time, each in a directory of its own, and one of them is run again where it was killed.
#[test]
fn a_kill_at_any_moment_leaves_only_whole_files() {
    let folder = folder("kills");
    let start = |out: &Path| {
        let args =
            ["run", "--rules", "published", "--guided", "false", "--time", "20s", "--seeds", "0..1500", "--quiet"];
        failproof(&[&args[..], &["--out", text_of(out)]].concat()).spawn().unwrap()
    };
    let began = Instant::now();
    let undisturbed = folder.join("undisturbed");
    assert_eq!(start(&undisturbed).wait().unwrap().code(), Some(1));
    let takes = began.elapsed();
    let expected = whole_files(&undisturbed);
    assert!(expected > 50, "{expected} plans");

    let (mut some, mut chance) = (0, 0x9e37_79b9_7f4a_7c15_u64);
    for kill in 0..50_u32 {
        let out = folder.join(kill.to_string());
        fs::create_dir_all(&out).unwrap();
        let mut child = start(&out);
        // A step of a linear congruence; its upper bits move the moment within its fiftieth.
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (f64::from(kill) + (chance >> 40) as f64 / f64::from(1 << 24)) / 50.0;
        sleep(takes.mul_f64(share));
        child.kill().unwrap();
        child.wait().unwrap();
        let plans = whole_files(&out);
        some += u32::from(plans > 0 && plans < expected);
    }
    assert!(some >= 5, "only {some} of 50 kills fell while plans were being written");

    let again = folder.join("30");
    assert_eq!(start(&again).wait().unwrap().code(), Some(1));
    assert_eq!(whole_files(&again), expected, "a campaign can be run again where it was killed");
}

#[test]
fn ctrl_c_prints_what_was_done_and_exits_with_130() {
    let folder = folder("ctrl_c");
    let args = ["run", "--rules", "published", "--time", "60s", "--seeds", "0..100000000", "--out", text_of(&folder)];
    let mut child = failproof(&args).spawn().unwrap();
    let began = Instant::now();
    while fs::read_dir(&folder).unwrap().next().is_none() {
        assert!(began.elapsed() < Duration::from_secs(120), "no plan was written");
        assert!(child.try_wait().unwrap().is_none(), "it goes on by itself");
        sleep(Duration::from_millis(20));
    }
    send(&child, "-INT");
    let asked = Instant::now();
    let (code, out, err) = ran(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(130), "{err}");
    assert!(asked.elapsed() < Duration::from_secs(30), "it ends soon");
    assert!(out.starts_with("interrupted after ") && out.contains("of 100,000,000 seeds; so far"), "{out}");
    assert!(out.contains("repeat by: "), "{out}");
    assert!(whole_files(&folder) > 0 && folder.join(REPORT_FILE).exists());
}

#[test]
fn a_full_disk_is_said_and_findings_are_told_all_the_same() {
    let folder = folder("full");
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let args = ["run", "--rules", "published", "--seeds", "0..3", "--out"];
    let to_stdout = folder.join("stdout");
    let mut child = failproof(&[&args[..], &[text_of(&to_stdout)]].concat()).stdout(full()).spawn().unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{err}");
    for words in ["cannot write to standard output", "No space left", "FAILED", "repeat by: "] {
        assert!(err.contains(words), "no `{words}` in {err}");
    }

    let to_junit = folder.join("junit");
    let args = [&args[..], &[text_of(&to_junit), "--junit", "/dev/full"]].concat();
    let (code, out, err) = ran(&failproof(&args).output().unwrap());
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("--junit: cannot write /dev/full: No space left"), "{err}");
    assert!(out.starts_with("FAILED"), "{out}");

    let plan = to_junit.join("AtMostOneWorkingPrimary-0.json");
    let (code, out, err) = ran(&failproof(&["replay", text_of(&plan), "--trace", "/dev/full"]).output().unwrap());
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("--trace: cannot write /dev/full: No space left"), "{err}");
    assert!(out.starts_with("FAILED"), "{out}");

    let below = PathBuf::from("/dev/full/plans");
    let (code, out, err) = ran(&failproof(&["run", "--out", text_of(&below)]).output().unwrap());
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("/dev/full is a file; expected a directory"), "{err}");
}

//! The page in a browser: it draws what it should, and complains about nothing. Where no browser is found, the test says so
//! on standard error and passes.

use super::{long, plan_of};
use crate::commands::{failproof, folder, text_of};
use failproof::timeline::html::html;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names that the browser goes by.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// The first browser on the path.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found =
        std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name))).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: no browser on the path ({}), so the page was not drawn", NAMES.join(", "));
    }
    found
}

/// Opens a page, and returns what it made of itself. A screenshot is kept beside it.
fn opened(browser: &Path, page: &Path) -> String {
    let run = |arguments: &[String]| {
        let mut command = Command::new(browser);
        command.args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ]);
        command.args(["--window-size=1400,1400", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000"]);
        command.arg(format!("--user-data-dir={}", page.with_extension("profile").display())).args(arguments);
        let output = command.arg(format!("file://{}", page.display())).output().expect("the browser starts");
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        let complaints: Vec<_> = complaints.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "{}: {complaints:?}", page.display());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run(&[format!("--screenshot={}", page.with_extension("png").display())]);
    run(&["--dump-dom".to_owned()])
}

/// The numbers of an attribute of all elements of a class.
fn sizes(drawn: &str, class: &str, attribute: &str) -> Vec<f64> {
    let class = format!("class=\"{class}\"");
    let elements = drawn.split(&class).skip(1);
    let number = |element: &str| {
        let text = element.split('>').next()?.split(&format!("{attribute}=\"")).nth(1)?.split('"').next()?;
        text.parse().ok()
    };
    // The legend shows one of each, in a picture of its own.
    elements.filter_map(number).filter(|size| *size != 24.0).collect()
}

#[test]
fn the_page_shows_the_overlap() {
    let Some(browser) = browser() else { return };
    let page = folder("drawn").join("E1.html");
    let outcome = failproof(&["replay", &plan_of("E1"), "--timeline", "html", "--out", text_of(&page)]);
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    let drawn = opened(&browser, &page);
    assert!(drawn.contains("data-ready=\"yes\""), "the script came to its end");
    let overlaps = sizes(&drawn, "overlap", "width");
    assert!(!overlaps.is_empty() && overlaps.iter().all(|width| *width > 50.0), "visible: {overlaps:?}");
    assert_eq!(sizes(&drawn, "works", "width").len(), 2, "both primaries");
    assert!(sizes(&drawn, "lost", "x1").len() > 3, "what was lost");
    assert!(page.with_extension("png").is_file(), "a screenshot is kept");
}

/// A page that is wrong is seen to be: its script ends early, and says why.
#[test]
fn a_broken_page_is_noticed() {
    let Some(browser) = browser() else { return };
    let file = folder("broken-page").join("E1.html");
    let outcome = failproof(&["replay", &plan_of("E1"), "--timeline", "html", "--out", text_of(&file)]);
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    let broken = fs::read_to_string(&file).unwrap().replace("\"spans\":", "\"spanned\":");
    fs::write(&file, broken).unwrap();
    let complaint = std::panic::catch_unwind(|| opened(&browser, &file)).expect_err("an error on the console");
    let complaint = complaint.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(complaint.contains("Uncaught"), "{complaint}");
}

#[test]
fn the_page_of_a_long_run_is_drawn() {
    let Some(browser) = browser() else { return };
    let page = folder("long").join("long.html");
    fs::write(&page, html(&long())).unwrap();
    let drawn = opened(&browser, &page);
    assert!(drawn.contains("data-ready=\"yes\""), "the script came to its end");
    assert!(!sizes(&drawn, "works", "width").is_empty());
}

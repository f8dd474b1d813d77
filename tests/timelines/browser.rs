//! The page in a browser: it draws what it should, and complains about nothing. Where no browser is found, the test says so
//! on standard error and passes.

use super::{long, plan_of};
use crate::commands::{failproof, folder, text_of};
use failproof::engine::Engine;
use failproof::plan::Plan;
use failproof::timeline::html::html;
use failproof::timeline::{Cause, Timeline};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The names that the browser goes by.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// How the browser is always started.
const ALWAYS: [&str; 6] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--window-size=1400,1400",
];

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
        command.args(ALWAYS).args(["--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000"]);
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

/// Goal: names of violations can be read. Method: one near the right edge, whose name goes to the left of it, and one there.
#[test]
fn names_of_violations_do_not_cover_each_other() {
    let Some(browser) = browser() else { return };
    let page = folder("names").join("E1.html");
    let plan = Arc::new(Plan::read(Path::new(&plan_of("E1"))).unwrap());
    let (_, records) = Engine::Fast.run(&plan, true).expect("no panic");
    let mut timeline = Timeline::new(&plan, &records, []);
    let cause = timeline.causes[0].clone();
    let at = |percent: u64| Cause { at_us: plan.options.time_us() * percent / 100, heard: Vec::new(), ..cause.clone() };
    timeline.causes = vec![at(20), at(72), at(90)];
    fs::write(&page, html(&timeline)).unwrap();
    let drawn = opened(&browser, &page);
    // The script that draws them stands in the page too.
    let elements = drawn.split("class=\"in-break\" x=\"").skip(1).filter(|text| !text.starts_with('$'));
    let names: Vec<_> = elements.filter_map(|text| text.split("</text>").next()).collect();
    let words: Vec<_> = names.iter().filter_map(|text| text.split('>').nth(1)).collect();
    assert_eq!(words, [cause.property.clone(), format!("{} and 1 more", cause.property)], "{names:?}");
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
    let timeline = long();
    fs::write(&page, html(&timeline)).unwrap();
    let drawn = opened(&browser, &page);
    assert!(drawn.contains("data-ready=\"yes\""), "the script came to its end");
    assert!(!sizes(&drawn, "works", "width").is_empty());
    let mut times: Vec<_> = (0..3).map(|_| milliseconds_to_draw(&browser, &page)).collect();
    times.sort_by(f64::total_cmp);
    println!(
        "the page of {} events, {} kB: drawn {:.0} ms after navigation, the median of three; {:.0} to {:.0} ms",
        timeline.events,
        fs::metadata(&page).unwrap().len() / 1_000,
        times[1],
        times[0],
        times[2]
    );
    // It is meant to take less than a second. Other work on the machine is no fault of the page.
    assert!(times[0] < 10_000.0, "{times:?} ms");
}

/// The real time from navigation to the first frame that shows the page, in milliseconds, on the page's own clock.
///
/// A time budget would make that clock a virtual one, and without one the browser ends with the `load` event, before it has
/// drawn. So a picture that the page waits for is kept back until the page has told its time, by asking for another one.
fn milliseconds_to_draw(browser: &Path, page: &Path) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    // The second frame begins when the first one is there.
    let clock = format!(
        "<img src=\"http://127.0.0.1:{port}/wait\"><script>requestAnimationFrame(() => requestAnimationFrame(() => {{ new \
         Image().src = \"http://127.0.0.1:{port}/drawn/\" + performance.now() + \"/\"; }}));</script></body>"
    );
    let timed = page.with_extension("timed.html");
    let text = fs::read_to_string(page).unwrap();
    assert_eq!(text.matches("</body>").count(), 1);
    fs::write(&timed, text.replace("</body>", &clock)).unwrap();
    let (told, tells) = mpsc::channel();
    thread::spawn(move || {
        let mut waiting = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().expect("a request");
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).expect("its first line");
            let time = line.split("/drawn/").nth(1).and_then(|rest| rest.split('/').next()?.parse().ok());
            if time.is_none() && line.contains("/wait") {
                waiting.push(stream);
                continue;
            }
            for stream in waiting.iter_mut().chain([&mut stream]) {
                // A browser that is gone needs no answer.
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            }
            if time.is_some_and(|time: f64| told.send(time).is_ok()) {
                return;
            }
        }
    });
    let mut command = Command::new(browser);
    command.args(ALWAYS).arg(format!("--user-data-dir={}", page.with_extension("profile").display()));
    let output = command.args(["--timeout=60000", "--dump-dom"]).arg(format!("file://{}", timed.display())).output();
    assert!(output.expect("the browser starts").status.success());
    tells.recv_timeout(Duration::from_secs(5)).expect("the page tells its time")
}

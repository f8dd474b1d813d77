//! Files that are written whole or not at all, and never in place of something else.

use crate::campaign::{Finding, REPORT_FILE, SavedReport, Setting};
use crate::shrink::{Shrunk, small_stem};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why nothing was written. The message names the file and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Another file stands there.
    #[error("{path} exists with other content and was not overwritten; expected a new name or an empty directory")]
    Exists {
        /// The file.
        path: String,
    },
    /// Something stands where a new file is to be.
    #[error("{path} exists and was not overwritten; expected a new name")]
    Taken {
        /// What.
        path: String,
    },
    /// Something stands where the report goes that is none.
    #[error("{problem}; it was not overwritten: expected a new or an empty directory")]
    NoReport {
        /// What is wrong with it.
        problem: String,
    },
    /// The report of another campaign stands there.
    #[error("{path} is not of this campaign and was not overwritten; expected a new or an empty directory")]
    OtherCampaign {
        /// The file.
        path: String,
    },
    /// A file stands where a directory was expected.
    #[error("cannot write below {path}: {obstacle} is a file; expected a directory")]
    BelowFile {
        /// Where to.
        path: String,
        /// What stands in the way.
        obstacle: String,
    },
    /// The file system refused.
    #[error("cannot write {path}: {source}")]
    Refused {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Where files are created. Tests bring disks of their own, such as one that fills up.
pub trait Disk: Sync {
    /// Creates a file with this content: afterwards it is there whole, or, after an error, not at all.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if something stands there; else what the file system says.
    fn create(&self, path: &Path, text: &str) -> io::Result<()>;

    /// The same in place of a file that stands there.
    ///
    /// # Errors
    /// What the file system says; the old file stands there then.
    fn replace(&self, path: &Path, text: &str) -> io::Result<()>;

    /// Whether files can be created in a directory that is there.
    ///
    /// # Errors
    /// What the file system says.
    fn check(&self, folder: &Path) -> io::Result<()>;
}

/// The file system.
#[derive(Clone, Copy, Debug)]
pub struct FileSystem;

impl Disk for FileSystem {
    fn create(&self, path: &Path, text: &str) -> io::Result<()> {
        match unnamed(folder_of(path)).and_then(|mut file| fill(&mut file, text).map(|()| file)) {
            Ok(file) => name(&file, path),
            Err(error) if lacks_unnamed(&error) => create_by_link(path, text),
            Err(error) => Err(error),
        }
    }

    fn replace(&self, path: &Path, text: &str) -> io::Result<()> {
        match unnamed(folder_of(path)).and_then(|mut file| fill(&mut file, text).map(|()| file)) {
            // It is complete before the old one goes.
            Ok(file) => fs::remove_file(path).and_then(|()| name(&file, path)),
            Err(error) if lacks_unnamed(&error) => replace_by_rename(path, text),
            Err(error) => Err(error),
        }
    }

    fn check(&self, folder: &Path) -> io::Result<()> {
        match unnamed(folder) {
            Err(error) if lacks_unnamed(&error) => {
                let probe = temporary_for(&folder.join("probe"));
                fs::write(&probe, "").and_then(|()| fs::remove_file(&probe))
            }
            opened => opened.map(drop),
        }
    }
}

fn fill(file: &mut File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())
}

/// A file in `folder` that has no name yet: a process that is killed before it names it leaves nothing behind.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    let mode = Mode::from_raw_mode(0o666);
    Ok(File::from(open(folder, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, mode)?))
}

/// Gives it its name, unless something stands there.
#[cfg(target_os = "linux")]
fn name(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, unnamed, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn name(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether the file system, or the system, knows no files without a name.
fn lacks_unnamed(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, IsADirectory, NotFound, Unsupported};
    matches!(error.kind(), Unsupported | IsADirectory | InvalidInput | NotFound)
}

/// Fills a file under another name, and links it then. A process that is killed meanwhile leaves the other one behind.
fn create_by_link(path: &Path, text: &str) -> io::Result<()> {
    let temporary = temporary_for(path);
    let done = fs::write(&temporary, text).and_then(|()| match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&temporary, path),
        done => done,
    });
    // It is gone already if it was renamed.
    let _ = fs::remove_file(&temporary);
    done
}

fn replace_by_rename(path: &Path, text: &str) -> io::Result<()> {
    let temporary = temporary_for(path);
    let done = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    done
}

fn temporary_for(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder_of(path).join(format!(".{name}.{}.tmp", std::process::id()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl fmt::Debug for dyn Disk + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

/// Where a campaign leaves its files.
#[derive(Clone, Copy, Debug)]
pub struct Folder<'a> {
    /// The directory; made when there is something to write.
    pub path: &'a Path,
    /// Whether a plan whose name is taken gets a number behind it. Otherwise it is refused.
    pub renames: bool,
    /// Where files are created.
    pub disk: &'a dyn Disk,
}

impl Folder<'_> {
    /// Checks, before anything is run, that files can be written, as far as the directory is there already.
    ///
    /// # Errors
    /// [`OutputError::BelowFile`] if the path, or one above it, is a file; [`OutputError::Refused`] if it is not writable.
    pub fn check(&self) -> Result<(), OutputError> {
        check_directory(self.path)?;
        let there = self.path.is_dir();
        if there { self.disk.check(self.path).map_err(|source| refused(self.path, source)) } else { Ok(()) }
    }

    /// Writes the plan of a finding as `<property>-<run>.json`, and tells the finding its file.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn write_plan(&self, finding: &mut Finding) -> Result<(), OutputError> {
        let text =
            serde_json::to_string_pretty(&finding.plan_found()).map_err(|e| refused(self.path, e.into()))? + "\n";
        let stem = format!("{}-{}", finding.property, finding.run);
        finding.file = Some(self.write(&stem, "json", &text)?);
        Ok(())
    }

    /// Writes `text` as `<stem>.<extension>`.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn write(&self, stem: &str, extension: &str, text: &str) -> Result<PathBuf, OutputError> {
        for number in 1_u32.. {
            let number = if number == 1 { String::new() } else { format!("-{number}") };
            let path = self.path.join(format!("{stem}{number}.{extension}"));
            match write_new(self.disk, &path, text) {
                Err(OutputError::Exists { .. }) if self.renames => {}
                written => return written.map(|()| path),
            }
        }
        unreachable!("a directory holds fewer files than there are numbers")
    }

    /// Makes the directory, and checks, before anything is run, that a report with this setting can be written there.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn check_report(&self, setting: &Setting) -> Result<(), OutputError> {
        fs::create_dir_all(self.path).map_err(|source| refused(self.path, source))?;
        self.check()?;
        let path = self.path.join(REPORT_FILE);
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let old = SavedReport::read(self.path).map_err(|error| OutputError::NoReport { problem: error.to_string() })?;
        match old.setting.is_same_part(setting) {
            true => Ok(()),
            false => Err(OutputError::OtherCampaign { path: show(&path) }),
        }
    }

    /// Writes the small plan of a finding as `<stem of the plan's file>.small.json`, and tells it its file. If the name is
    /// taken, by what was reached before somebody stopped it, it gets a number behind it.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn write_small(&self, finding: &Finding, shrunk: &mut Shrunk) -> Result<(), OutputError> {
        let text = serde_json::to_string_pretty(&shrunk.plan).map_err(|e| refused(self.path, e.into()))? + "\n";
        let named = || PathBuf::from(format!("{}-{}.json", finding.property, finding.run));
        let stem = small_stem(&finding.file.clone().unwrap_or_else(named));
        shrunk.file = Some(Self { renames: true, ..*self }.write(&stem, "json", &text)?);
        Ok(())
    }

    /// Writes the report. It may take the place of one about the same campaign that was stopped too early, or of which less
    /// was shrunk; one of which more was shrunk stays.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn write_report(&self, saved: &SavedReport) -> Result<(), OutputError> {
        let path = self.path.join(REPORT_FILE);
        let text = saved.text().map_err(|error| refused(&path, error.into()))?;
        let exists = match write_new(self.disk, &path, &text) {
            Err(exists @ OutputError::Exists { .. }) => exists,
            written => return written,
        };
        match SavedReport::read(self.path) {
            Ok(old) if saved.completes(&old) => {
                self.disk.replace(&path, &text).map_err(|source| refused(&path, source))
            }
            Ok(old) if old.is_shrunk_further_than(saved) => Ok(()),
            _ => Err(exists),
        }
    }
}

/// Checks that `path` is a directory, or can become one.
///
/// # Errors
/// [`OutputError::BelowFile`] if it, or one above it, is a file.
pub fn check_directory(path: &Path) -> Result<(), OutputError> {
    match path.ancestors().find(|ancestor| ancestor.exists()) {
        Some(obstacle) if !obstacle.is_dir() => {
            Err(OutputError::BelowFile { path: show(path), obstacle: show(obstacle) })
        }
        _ => Ok(()),
    }
}

/// Checks, before there is anything to write, that a new file can be there: what takes long is not lost in the end. A device
/// or a pipe may stand there.
///
/// # Errors
/// See [`OutputError`]; nothing is changed.
pub fn check_new(disk: &dyn Disk, path: &Path) -> Result<(), OutputError> {
    let folder = folder_of(path);
    check_directory(folder)?;
    if fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir()) {
        return Ok(());
    }
    if path.symlink_metadata().is_ok() {
        return Err(OutputError::Taken { path: show(path) });
    }
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    disk.check(there).map_err(|source| refused(path, source))
}

/// Writes a file that is either complete or not there. The same content may stand there already. To a device or a pipe it
/// is simply written.
///
/// # Errors
/// See [`OutputError`]; nothing was changed then.
pub fn write_new(disk: &dyn Disk, path: &Path, text: &str) -> Result<(), OutputError> {
    let directory = folder_of(path);
    check_directory(directory)?;
    match fs::metadata(path) {
        Ok(about) if !about.is_file() && !about.is_dir() => {
            let written = File::options().write(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()));
            return written.map_err(|source| refused(path, source));
        }
        _ if path.symlink_metadata().is_ok() => return same_content(path, text),
        _ => {}
    }
    fs::create_dir_all(directory).map_err(|source| refused(directory, source))?;
    match disk.create(path, text) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => same_content(path, text),
        done => done.map_err(|source| refused(path, source)),
    }
}

fn same_content(path: &Path, text: &str) -> Result<(), OutputError> {
    // Another length is other content without reading it.
    let same_length = |about: fs::Metadata| about.is_file() && about.len() == text.len() as u64;
    if !fs::metadata(path).is_ok_and(same_length) {
        return Err(OutputError::Exists { path: show(path) });
    }
    match fs::read(path) {
        Ok(content) if content == text.as_bytes() => Ok(()),
        Ok(_) => Err(OutputError::Exists { path: show(path) }),
        Err(source) => Err(refused(path, source)),
    }
}

fn refused(path: &Path, source: io::Error) -> OutputError {
    OutputError::Refused { path: show(path), source }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

//! Files that are written whole or not at all, and never in place of something else.

use crate::campaign::CampaignReport;
use std::io;
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

/// Where the plans of findings go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The directory; made when there is something to write.
    pub path: PathBuf,
    /// Whether a plan whose name is taken gets a number behind it. Otherwise it is refused.
    pub renames: bool,
}

impl Folder {
    /// Checks, before anything is run, that plans can be written.
    ///
    /// # Errors
    /// [`OutputError::BelowFile`] if the path, or one above it, is a file.
    pub fn check(&self) -> Result<(), OutputError> {
        check_directory(&self.path)
    }

    /// Writes the plans of all kept findings as `<property>-<seed>.json`, and tells each finding its file. One that
    /// cannot be written does not stop the others.
    pub fn write_plans(&self, report: &mut CampaignReport) -> Vec<OutputError> {
        let mut errors = Vec::new();
        for finding in report.kept_mut() {
            let written = serde_json::to_string_pretty(&finding.plan_found())
                .map_err(|error| refused(&self.path, error.into()))
                .and_then(|text| self.write(&format!("{}-{}", finding.property, finding.seed), &(text + "\n")));
            match written {
                Ok(path) => finding.file = Some(path),
                Err(error) => errors.push(error),
            }
        }
        errors
    }

    fn write(&self, stem: &str, text: &str) -> Result<PathBuf, OutputError> {
        for number in 1_u32.. {
            let name = if number == 1 { format!("{stem}.json") } else { format!("{stem}-{number}.json") };
            let path = self.path.join(name);
            match write_new(&path, text) {
                Err(OutputError::Exists { .. }) if self.renames => {}
                written => return written.map(|()| path),
            }
        }
        unreachable!("a directory holds fewer files than there are numbers")
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

/// Writes a file that is either complete or not there. The same content may stand there already.
///
/// # Errors
/// See [`OutputError`]; nothing was changed then.
pub fn write_new(path: &Path, text: &str) -> Result<(), OutputError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    check_directory(directory)?;
    if path.symlink_metadata().is_ok() {
        return same_content(path, text);
    }
    std::fs::create_dir_all(directory).map_err(|source| refused(directory, source))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}.tmp", std::process::id()));
    let done = match std::fs::write(&temporary, text) {
        Err(source) => Err(refused(path, source)),
        Ok(()) => match std::fs::hard_link(&temporary, path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => same_content(path, text),
            // A file system without links.
            Err(_) => std::fs::rename(&temporary, path).map_err(|source| refused(path, source)),
        },
    };
    // It is gone already if it was renamed.
    let _ = std::fs::remove_file(&temporary);
    done
}

fn same_content(path: &Path, text: &str) -> Result<(), OutputError> {
    // A device may never end, and another length is other content without reading it.
    let same_length = |about: std::fs::Metadata| about.is_file() && about.len() == text.len() as u64;
    if !std::fs::metadata(path).is_ok_and(same_length) {
        return Err(OutputError::Exists { path: show(path) });
    }
    match std::fs::read(path) {
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

//! A folder for what a checker needs as a file. It is gone when this is dropped.

use std::path::{Path, PathBuf};

/// A folder that nobody else uses.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A new folder, outside of every repository.
    pub(super) fn new() -> Result<Self, String> {
        let names = (0..1_000).map(|n| std::env::temp_dir().join(format!("failproof-{}-{n}", std::process::id())));
        for path in names {
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(format!("{}: cannot be created: {error}", path.display())),
            }
        }
        Err(format!("{}: no new folder can be created there", std::env::temp_dir().display()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, with the folders that it needs.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.0.join(name);
        write(&path, text)?;
        Ok(path)
    }

    /// A new folder within.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.0.join(name);
        std::fs::create_dir(&path).map_err(|error| format!("{}: cannot be created: {error}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left lies among temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes a file, with the folders that it needs.
pub(super) fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| format!("{}: cannot be written: {error}", path.display()))
}

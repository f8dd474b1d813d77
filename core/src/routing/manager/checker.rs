//! Whether the server that is asked may serve a HAID: what the design promises, and the original does not do.

use crate::routing::haid::Haid;

/// As what a server serves a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is the main server.
    Main,
    /// It is the backup, and the main server is invalid.
    Backup,
}

/// Why a server must not serve a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// R3: the HAID names other servers.
    #[error("the HAID does not name this server")]
    NotNamed,
    /// R1: the main server is valid, so the backup must not serve.
    #[error("the main server is valid; its backup must not serve")]
    MainIsValid,
}

/// As what the server with the alias `host` serves a context. A server that is its own backup is the main one.
///
/// `main_is_valid` is the caller's knowledge of the main server, and as old as that is.
///
/// # Errors
/// [`NotServed`], if it must not.
pub fn check_host(haid: &Haid<'_>, host: &str, main_is_valid: bool) -> Result<Role, NotServed> {
    match () {
        () if haid.main == host => Ok(Role::Main),
        () if haid.backup != host => Err(NotServed::NotNamed),
        () if main_is_valid => Err(NotServed::MainIsValid),
        () => Ok(Role::Backup),
    }
}

//! The proxy around the persistence calls: clients speak HAIDs, what is behind it speaks plain ids.
//!
//! A call is a value here: the method's name and its arguments before it, what it returned after it. Arguments are handed
//! back converted, so a refused call has changed nothing.
//!
//! Source: `MethodInterceptorImpl`.

use super::{ContextManager, HaContextId, ManagerError};
use crate::routing::haid::java::{is_blank, is_numeric};
use alloc::string::String;
use alloc::vec::Vec;

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A context id with owners.
    ContextId(HaContextId),
    /// A text.
    Text(String),
    /// Anything else, also a context id that has no owners. It is passed on as it is.
    Other,
}

/// What a call returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returned {
    /// A context id with owners.
    ContextId(HaContextId),
    /// Several of them.
    List(Vec<HaContextId>),
    /// Anything else. It is passed on as it is.
    Other,
}

/// What the called method gets to see. `chance` serves all context ids that have to be generated for this call.
///
/// # Errors
/// [`ManagerError::NumericId`] for a plain id with owners, [`ManagerError::InvalidId`] for one that is no HAID or not valid
/// here, and what [`ContextManager::convert`] refuses.
pub fn before_call(
    manager: &dyn ContextManager,
    method: &str,
    arguments: &[Argument],
    chance: u64,
) -> Result<Vec<Argument>, ManagerError> {
    let mut seen: Vec<_> = arguments
        .iter()
        .map(|argument| match argument {
            Argument::ContextId(id) => convert_context_id(manager, id, chance).map(Argument::ContextId),
            Argument::Text(_) | Argument::Other => Ok(argument.clone()),
        })
        .collect::<Result<_, _>>()?;
    if method.to_ascii_lowercase().contains("contextid") {
        let first = seen.iter_mut().find_map(|argument| match argument {
            Argument::Text(text) => Some(text),
            Argument::ContextId(_) | Argument::Other => None,
        });
        if let Some(text) = first.filter(|text| !is_blank(text) && !is_numeric(text)) {
            let id: String = manager.parse(text)?.ok_or(ManagerError::InvalidId)?.id.into();
            *text = id;
        }
    }
    Ok(seen)
}

/// What the caller gets to see of what was returned: plain ids become HAIDs.
///
/// # Errors
/// What [`ContextManager::to_haid`] refuses.
pub fn after_call(manager: &dyn ContextManager, returned: Returned) -> Result<Returned, ManagerError> {
    let encode = |id: HaContextId| match &id.id {
        Some(plain) if is_numeric(plain) => Ok(HaContextId { id: Some(manager.to_haid(&id)?), ..id }),
        _ => Ok(id),
    };
    match returned {
        Returned::ContextId(id) => encode(id).map(Returned::ContextId),
        Returned::List(ids) => ids.into_iter().map(encode).collect::<Result<_, _>>().map(Returned::List),
        Returned::Other => Ok(Returned::Other),
    }
}

fn convert_context_id(
    manager: &dyn ContextManager,
    id: &HaContextId,
    chance: u64,
) -> Result<HaContextId, ManagerError> {
    match id.id.as_deref() {
        Some(plain) if is_numeric(plain) => Err(ManagerError::NumericId),
        Some(haid) if manager.parse(haid)?.is_none() => Err(ManagerError::InvalidId),
        Some(_) | None => manager.convert(Some(id), chance),
    }
}

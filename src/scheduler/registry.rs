//! The engines of the process. It holds them weakly: who uses an engine keeps it alive.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, Weak};

use super::{Engine, Placement};
use crate::Error;
use crate::lock::lock;

type Key = (PathBuf, Placement);
type Place = Arc<Mutex<Weak<Engine>>>;

/// Lock order: the table, which is given up before a place is locked. A place is locked while its engine loads.
static TABLE: LazyLock<Mutex<HashMap<Key, Place>>> = LazyLock::new(Mutex::default);

/// The engine of `path` placed as said; `load` makes it if there is none.
pub fn share(
    path: &Path,
    placement: Placement,
    load: impl FnOnce() -> Result<Engine, Error>,
) -> Result<Arc<Engine>, Error> {
    let path = path.canonicalize().unwrap_or_else(|_| path.into());
    let place = lock(&TABLE).entry((path, placement)).or_default().clone();
    let mut engine = lock(&place);
    if let Some(engine) = engine.upgrade() {
        return Ok(engine);
    }
    let loaded = Arc::new(load()?);
    *engine = Arc::downgrade(&loaded);
    Ok(loaded)
}

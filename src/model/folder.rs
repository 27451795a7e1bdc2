//! Where models and packed weights are kept, and how a name becomes a path.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{ModelError, format::WEIGHT_FILES};

/// The path of the model that `name_or_path` means: an existing path, else a model of that name in [`folders`].
///
/// The name `base` means the folder `base` or the file `ggml-base.bin`, in the first model folder that has either.
pub fn find(name_or_path: &str) -> Result<PathBuf, ModelError> {
    find_in(name_or_path, folders())
}

/// The folder in which models are installed: the first of [`folders`].
pub fn folder() -> Option<PathBuf> {
    folders().into_iter().next()
}

/// The folders in which names are looked up: those that `WHISPERNPU_MODEL_PATH` lists, separated by colons, else
/// `whispernpu/models` in `XDG_DATA_HOME`, which is `~/.local/share` by default.
pub fn folders() -> Vec<PathBuf> {
    folders_from(environment)
}

/// The folder that users have packed weights kept in, or None if they do not want it.
///
/// It is what `WHISPERNPU_CACHE` names, where `off` is none; else `whispernpu` in `XDG_CACHE_HOME`, which is `~/.cache` by
/// default.
pub fn cache_folder() -> Option<PathBuf> {
    cache_folder_from(environment)
}

/// A variable's value, unless that is empty.
fn environment(variable: &str) -> Option<OsString> {
    env::var_os(variable).filter(|value| !value.is_empty())
}

fn folders_from(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    if let Some(list) = variable("WHISPERNPU_MODEL_PATH") {
        return env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect();
    }
    let data = xdg_folder(variable, "XDG_DATA_HOME", ".local/share");
    data.map(|data| data.join("whispernpu/models")).into_iter().collect()
}

fn cache_folder_from(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(folder) = variable("WHISPERNPU_CACHE") {
        return (folder != "off").then(|| folder.into());
    }
    xdg_folder(variable, "XDG_CACHE_HOME", ".cache").map(|cache| cache.join("whispernpu"))
}

/// What `name` names, else `default` in the user's home.
fn xdg_folder(variable: impl Fn(&str) -> Option<OsString>, name: &str, default: &str) -> Option<PathBuf> {
    // The XDG base directory specification has relative paths ignored.
    let named = variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| variable("HOME").map(|home| Path::new(&home).join(default)))
}

fn find_in(name_or_path: &str, searched: Vec<PathBuf>) -> Result<PathBuf, ModelError> {
    let path = Path::new(name_or_path);
    if path.exists() {
        return Ok(path.to_owned());
    }
    let is_name = path.file_name().is_some_and(|name| name == name_or_path);
    let found = searched
        .iter()
        .filter(|_| is_name)
        .flat_map(|folder| [folder.join(name_or_path), folder.join(format!("ggml-{name_or_path}.bin"))])
        .find(|path| path.exists());
    found.ok_or_else(|| ModelError::NotFound {
        name: name_or_path.to_owned(),
        installed: searched.iter().flat_map(|folder| installed(folder)).collect(),
        searched,
    })
}

/// Names of the models in a folder, in order; what cannot be read has none.
fn installed(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let ggml = name.strip_prefix("ggml-").and_then(|name| name.strip_suffix(".bin"));
            let is_folder =
                !name.ends_with(".partial") && WEIGHT_FILES.iter().any(|weights| entry.path().join(weights).exists());
            ggml.map(str::to_owned).or(is_folder.then_some(name))
        })
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a variable among these.
    fn among<'a>(variables: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        |wanted| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.into())
    }

    #[test]
    fn the_model_path_comes_before_xdg_and_home() {
        let with = |variables: &[_]| folders_from(among(variables));
        let path = ("WHISPERNPU_MODEL_PATH", "/a::/b");
        assert_eq!(with(&[path, ("HOME", "/home/x")]), [Path::new("/a"), Path::new("/b")]);
        let xdg = ("XDG_DATA_HOME", "/data");
        assert_eq!(with(&[xdg, ("HOME", "/home/x")]), [Path::new("/data/whispernpu/models")]);
        let home = Path::new("/home/x/.local/share/whispernpu/models");
        assert_eq!(with(&[("XDG_DATA_HOME", "relative"), ("HOME", "/home/x")]), [home]);
        assert!(with(&[]).is_empty());
    }

    #[test]
    fn the_cache_variable_comes_before_xdg_and_home() {
        let with = |variables: &[_]| cache_folder_from(among(variables));
        let (xdg, home) = (("XDG_CACHE_HOME", "/cache"), ("HOME", "/home/x"));
        assert_eq!(with(&[("WHISPERNPU_CACHE", "/a"), xdg, home]), Some("/a".into()));
        assert_eq!(with(&[("WHISPERNPU_CACHE", "off"), xdg, home]), None);
        assert_eq!(with(&[xdg, home]), Some("/cache/whispernpu".into()));
        let home_cache = Some("/home/x/.cache/whispernpu".into());
        assert_eq!(with(&[("XDG_CACHE_HOME", "relative"), home]), home_cache);
        assert_eq!(with(&[home]), home_cache);
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn a_name_means_a_folder_or_a_ggml_file() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("base");
        std::fs::create_dir(&base).unwrap();
        std::fs::write(base.join("model.bin"), b"x").unwrap();
        let ggml = folder.path().join("ggml-tiny.en.bin");
        std::fs::write(&ggml, b"x").unwrap();
        let find = |name: &str| find_in(name, vec![folder.path().to_owned()]);
        assert_eq!(find("base").unwrap(), base);
        assert_eq!(find("tiny.en").unwrap(), ggml);
        assert_eq!(find(base.to_str().unwrap()).unwrap(), base);
    }

    #[test]
    fn the_error_says_where_it_looked_and_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("small.partial")).unwrap();
        std::fs::write(folder.path().join("small.partial/model.bin"), b"x").unwrap();
        std::fs::write(folder.path().join("ggml-tiny.bin"), b"x").unwrap();
        for name in ["no-such-model", "", "no/such/path", "..x/.."] {
            let error = find_in(name, vec![folder.path().to_owned()]).unwrap_err();
            let ModelError::NotFound { searched, installed, .. } = &error else { panic!("{error}") };
            assert_eq!(
                (searched.as_slice(), installed.as_slice()),
                (&[folder.path().to_owned()][..], &["tiny".to_owned()][..])
            );
            assert!(error.to_string().contains("scripts/get-model"), "{error}");
        }
    }
}

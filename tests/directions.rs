//! The direction of the data path, held by the imports: who may name whom.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `src/`, and the other modules of the crate that it may name.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "element",
        &["stream", "commit", "segment", "scheduler", "decoder", "model", "transcript", "lock", "error", "Error"],
    ),
    ("stream", &["commit", "segment", "mel", "transcript", "Error"]),
    ("commit", &["transcript", "model"]),
    ("segment", &["mel", "model", "math", "lock", "recent"]),
    ("mel", &["device"]),
    ("scheduler", &["segment", "mel", "encoder", "decoder", "transcript", "model", "device", "lock", "error", "Error"]),
    ("encoder", &["model", "device", "recent"]),
    ("decoder", &["model", "device", "math", "recent", "Error"]),
    ("transcript", &["decoder", "model"]),
    ("model", &["device"]),
    ("device", &["math", "lock"]),
    ("error", &["model", "device", "decoder", "scheduler", "segment"]),
];

#[test]
fn modules_name_only_what_comes_before_them() {
    for (module, allowed) in ALLOWED {
        let named: BTreeSet<String> = sources(module).iter().flat_map(|path| crate_paths(path)).collect();
        for name in named.iter().filter(|name| name != module) {
            assert!(allowed.contains(&name.as_str()), "src/{module} names crate::{name}");
        }
    }
}

#[test]
fn every_module_has_its_row() {
    let library = fs::read_to_string(source_folder().join("lib.rs")).unwrap();
    let modules =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")).map(|line| line.trim_end_matches(';'));
    let rows: Vec<&str> = ALLOWED.iter().map(|(module, _)| *module).collect();
    assert_eq!(modules.collect::<Vec<_>>(), rows);
}

#[test]
fn gstreamer_stays_in_the_element_and_whisper_out_of_the_device() {
    for (module, _) in ALLOWED {
        for path in sources(module) {
            let code = code(&path);
            let names_gstreamer = ["gst::", "gst_audio::", "glib::"].iter().any(|name| code.contains(name));
            assert!(*module == "element" || !names_gstreamer, "{} names GStreamer", path.display());
            if *module == "device" {
                assert!(!code.contains("crate::model"), "{} names the model", path.display());
            }
        }
    }
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(module: &str) -> Vec<PathBuf> {
    let mut files = vec![source_folder().join(format!("{module}.rs"))];
    files.retain(|file| file.exists());
    let mut folders = vec![source_folder().join(module)];
    while let Some(folder) = folders.pop().filter(|folder| folder.exists()) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(!files.is_empty(), "no source of {module}");
    files
}

/// The file without its comments, which may name anything.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// First segments of the paths that start at the crate's root, `crate::{a::b, c::{d, e}}` among them.
fn crate_paths(path: &Path) -> Vec<String> {
    code(path).split("crate::").skip(1).flat_map(first_segments).collect()
}

fn first_segments(path: &str) -> Vec<String> {
    let Some(list) = path.strip_prefix('{') else {
        return vec![identifier(path)];
    };
    let (mut depth, mut segments, mut item) = (1, Vec::new(), String::new());
    for character in list.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => segments.push(identifier(&std::mem::take(&mut item))),
            _ if depth == 1 => item.push(character),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    segments.push(identifier(&item));
    segments.retain(|segment| !segment.is_empty());
    segments
}

fn identifier(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn nested_imports_are_read() {
    assert_eq!(first_segments("{Error, stream::{Cue, Stream}, model};\nuse x::{y}"), ["Error", "stream", "model"]);
    assert_eq!(first_segments("device::{A, B};"), ["device"]);
}

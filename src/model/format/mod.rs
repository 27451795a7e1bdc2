//! A path goes in, a model comes out: which format it is, told by content, and the reading of each.

mod ctranslate2;
mod ggml;
mod hugging_face;
mod json;
mod reader;

use std::path::{Path, PathBuf};

use super::{
    Model, ModelError,
    mapping::{MappedFile, io},
};

pub(super) use reader::invalid;

/// Maps the model at `path`, which is a folder or one of the files with the weights.
pub(super) fn open(path: &Path) -> Result<Model, ModelError> {
    let weights = weights_file(path)?;
    let file = MappedFile::open(&weights)?;
    let folder = weights.parent().unwrap_or(Path::new("."));
    match recognise(&file) {
        Some(Format::Ggml) => ggml::read(path, file),
        Some(Format::CTranslate2) => ctranslate2::read(path, folder, file),
        Some(Format::SafeTensors) => hugging_face::read(path, folder, vec![file]),
        Some(Format::SafeTensorsIndex) => hugging_face::read(path, folder, hugging_face::shards(folder, &file)?),
        None => Err(ModelError::Format {
            path: weights,
            expected: EXPECTED.to_owned(),
            received: describe(&file).to_owned(),
        }),
    }
}

/// The names that weights have in a folder, in the order in which they are looked for.
pub(super) const WEIGHT_FILES: [&str; 3] = ["model.bin", "model.safetensors", "model.safetensors.index.json"];

const EXPECTED: &str = "a CTranslate2 model.bin, a Hugging Face model.safetensors or a whisper.cpp ggml file";

#[derive(Debug, PartialEq)]
enum Format {
    CTranslate2,
    SafeTensors,
    SafeTensorsIndex,
    Ggml,
}

fn weights_file(path: &Path) -> Result<PathBuf, ModelError> {
    let metadata = std::fs::metadata(path).map_err(|error| io(path, &error))?;
    if !metadata.is_dir() {
        return Ok(path.to_owned());
    }
    let candidates = WEIGHT_FILES.map(|name| path.join(name));
    candidates.into_iter().find(|file| file.exists()).ok_or_else(|| ModelError::Format {
        path: path.to_owned(),
        expected: format!("a model folder with one of {}", WEIGHT_FILES.join(", ")),
        received: "a folder without any".to_owned(),
    })
}

fn recognise(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [b'l', b'm', b'g', b'g', ..] => Some(Format::Ggml),
        [version, 0, 0, 0, length, 0, rest @ ..] if (1..32).contains(version) && *length > 0 => {
            let name = rest.get(..usize::from(*length))?;
            (name.ends_with(b"\0") && name[..name.len() - 1].iter().all(u8::is_ascii_graphic))
                .then_some(Format::CTranslate2)
        }
        [_, _, _, _, _, _, 0, 0, b'{', ..] => Some(Format::SafeTensors),
        _ if first_visible(bytes) == Some(b'{') => Some(Format::SafeTensorsIndex),
        _ => None,
    }
}

/// What people mistake for weights, so that the error can say so.
fn describe(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'G', b'G', b'U', b'F', ..] => "a GGUF file, which whisper.cpp does not use for Whisper",
        [b'P', b'K', 3, 4, ..] => "a zip archive, perhaps PyTorch weights: convert them to safetensors",
        [0x80, 2..=5, ..] => "a Python pickle, perhaps PyTorch weights: convert them to safetensors",
        _ if bytes.starts_with(b"version https://git-lfs") => {
            "a Git LFS pointer without the content: run `git lfs pull` where it came from"
        }
        _ if first_visible(bytes) == Some(b'<') => "a web page, perhaps of a download that failed",
        _ if bytes.iter().take(64).all(|byte| *byte == 0) => "zeros, perhaps of a download that failed",
        _ => "a file of another kind",
    }
}

fn first_visible(bytes: &[u8]) -> Option<u8> {
    bytes.iter().take(64).copied().find(|byte| !byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart_by_their_first_bytes() {
        assert_eq!(recognise(&0x6767_6d6c_u32.to_le_bytes()), Some(Format::Ggml));
        assert_eq!(recognise(b"\x06\0\0\0\x0c\0WhisperSpec\0\x03\0\0\0"), Some(Format::CTranslate2));
        assert_eq!(recognise(b"\x10\x27\0\0\0\0\0\0{\"a\":"), Some(Format::SafeTensors));
        assert_eq!(recognise(b"\n{\"weight_map\": {}}"), Some(Format::SafeTensorsIndex));
        assert_eq!(recognise(b""), None);
        assert_eq!(recognise(b"\x06\0\0\0\x0c\0Whis"), None);
    }

    #[test]
    fn mistaken_files_are_described() {
        assert!(describe(b"GGUF\x03\0\0\0").contains("GGUF"));
        assert!(describe(b"version https://git-lfs.example/spec/v1").contains("Git LFS"));
        assert!(describe(b"<!DOCTYPE html>").contains("web page"));
        assert!(describe(b"\x80\x02}q").contains("pickle"));
    }
}

//! Tensors by canonical name, served from the mapped files.
//!
//! The names, with L each block's number from 0, D the width and V the vocabulary size:
//!
//! | name | shape |
//! | --- | --- |
//! | `encoder.conv1.{weight,bias}` | (D, mel bins, 3), (D) |
//! | `encoder.conv2.{weight,bias}` | (D, D, 3), (D) |
//! | `encoder.positions` | (1500, D) |
//! | `encoder.blocks.L.attention.norm.{weight,bias}` | (D) |
//! | `encoder.blocks.L.attention.{query,value,out}.{weight,bias}` | (D, D), (D) |
//! | `encoder.blocks.L.attention.key.weight` | (D, D); Whisper's keys have no bias |
//! | `encoder.blocks.L.mlp.norm.{weight,bias}` | (D) |
//! | `encoder.blocks.L.mlp.{up,down}.{weight,bias}` | (4D, D), (4D); (D, 4D), (D) |
//! | `encoder.norm.{weight,bias}` | (D) |
//! | `decoder.tokens` | (V, D); the projection to logits is this matrix too |
//! | `decoder.positions` | (text positions, D) |
//! | `decoder.blocks.L.attention.…`, `decoder.blocks.L.cross.…` | as the encoder's attention |
//! | `decoder.blocks.L.mlp.…`, `decoder.norm.…` | as the encoder's |
//!
//! Matrices are (out, in): y = x Wᵀ + b.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::{borrow::Cow, collections::HashMap, ops::Range, path::Path, thread};

use super::{Config, ModelError, format::invalid, mapping::MappedFile};
use crate::device::{DataType, DeviceError, Identity, TensorView, Tensors};

/// A model's tensors, each a place in a mapped file; nothing is copied.
#[derive(Debug)]
pub struct Weights {
    files: Vec<MappedFile>,
    tensors: HashMap<String, Place>,
}

impl Weights {
    /// Whether there is a tensor of that canonical name; attention keys, for one, have no bias.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Canonical names, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Bytes of all tensors as stored.
    pub fn byte_length(&self) -> usize {
        self.tensors.values().map(|place| place.bytes.len()).sum()
    }

    /// Fails with [`ModelError::NotFinite`] if a weight is infinite or not a number. Reads every byte once, in parallel.
    pub fn check_finite(&self) -> Result<(), ModelError> {
        let places: Vec<_> = self.tensors.iter().collect();
        let next = AtomicUsize::new(0);
        let search = || {
            while let Some((name, place)) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(index) = self.view(name, place).first_not_finite() {
                    let path = self.files[place.file].path().to_owned();
                    return Err(ModelError::NotFinite { path, name: name.to_string(), index });
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let threads = thread::available_parallelism().map_or(1, |count| count.get());
            let searches: Vec<_> = (0..threads).map(|_| scope.spawn(search)).collect();
            searches.into_iter().try_for_each(|search| search.join().expect("the search does not panic"))
        })
    }

    /// Finds each tensor that `config` asks for in `index`, where `source` says what the format calls it.
    ///
    /// Fails if one is missing or has another shape, and if one is left over that `is_other` does not know.
    pub(super) fn assemble(
        index: TensorIndex,
        config: &Config,
        source: impl Fn(&str) -> Source,
        is_other: impl Fn(&str) -> bool,
    ) -> Result<Self, ModelError> {
        let mut left: HashMap<&str, &Stored> =
            index.tensors.iter().map(|(name, stored)| (name.as_str(), stored)).collect();
        let mut tensors = HashMap::new();
        for (name, shape) in expected(config) {
            let source = source(&name);
            let place = index.place(&source, shape)?;
            left.remove(source.name.as_str());
            left.remove(scale_name(&source.name).as_str());
            tensors.insert(name, place);
        }
        let extra = left.into_iter().filter(|(name, _)| !is_other(name)).min_by_key(|(name, _)| *name);
        if let Some((name, stored)) = extra {
            let layers = (config.encoder_layers, config.decoder_layers);
            return Err(invalid(
                index.files[stored.file].path(),
                &format!("tensor {name}"),
                format_args!("part of a Whisper model with {} encoder and {} decoder blocks", layers.0, layers.1),
                "not",
            ));
        }
        Ok(Self { files: index.files, tensors })
    }

    fn view<'a>(&'a self, name: &'a str, place: &Place) -> TensorView<'a> {
        TensorView {
            name: Cow::Borrowed(name),
            shape: place.shape.clone(),
            data_type: place.data_type,
            bytes: &self.files[place.file][place.bytes.clone()],
            scales: place.scales.as_ref().map_or(&[], |scales| &self.files[place.file][scales.clone()]),
        }
    }
}

impl Tensors for Weights {
    fn tensor(&self, name: &str) -> Result<TensorView<'_>, DeviceError> {
        match self.tensors.get_key_value(name) {
            Some((name, place)) => Ok(self.view(name, place)),
            None => Err(DeviceError::MissingTensor { name: name.to_owned() }),
        }
    }

    fn identity(&self) -> Option<Vec<Identity>> {
        self.files.iter().map(MappedFile::identity).collect()
    }

    fn release(&self) {
        self.files.iter().for_each(MappedFile::release);
    }
}

/// What a format calls a canonical tensor: a whole tensor of the file, or one of several equal ranges of its rows.
pub(super) struct Source {
    /// Name in the file.
    pub name: String,
    /// Which of `parts`, from 0.
    pub part: usize,
    /// How many tensors are stacked in it.
    pub parts: usize,
}

impl From<String> for Source {
    fn from(name: String) -> Self {
        Self { name, part: 0, parts: 1 }
    }
}

/// The tensors of a model's files under the names that they have there.
#[derive(Debug)]
pub(super) struct TensorIndex {
    files: Vec<MappedFile>,
    tensors: HashMap<String, Stored>,
}

/// A tensor's place in a file: `bytes` has been checked against the file and against the shape.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// Which of the index's files.
    pub file: usize,
    /// Where in it.
    pub bytes: Range<usize>,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Element type.
    pub data_type: DataType,
}

impl TensorIndex {
    /// An index over `files`, which may hold no tensor yet.
    pub fn new(files: Vec<MappedFile>) -> Self {
        Self { files, tensors: HashMap::new() }
    }

    /// Adds a tensor; a second one of the same name is an error.
    pub fn insert(&mut self, name: &str, stored: Stored) -> Result<(), ModelError> {
        if self.tensors.contains_key(name) {
            return Err(invalid(
                self.files[stored.file].path(),
                &format!("tensor {name}"),
                "there once",
                "there twice",
            ));
        }
        self.tensors.insert(name.to_owned(), stored);
        Ok(())
    }

    /// The tensor that the file calls `name`.
    pub fn get(&self, name: &str) -> Option<&Stored> {
        self.tensors.get(name)
    }

    /// The tensor that the file calls `name`, with `rank` dimensions.
    pub fn ranked(&self, name: &str, rank: usize) -> Result<&Stored, ModelError> {
        let stored = self.require(name)?;
        if stored.shape.len() == rank {
            return Ok(stored);
        }
        let path = self.files[stored.file].path();
        Err(invalid(
            path,
            &format!("tensor {name}"),
            format_args!("of {rank} dimensions"),
            format_args!("of shape {:?}", stored.shape),
        ))
    }

    /// The bytes of a tensor.
    pub fn bytes(&self, stored: &Stored) -> &[u8] {
        &self.files[stored.file][stored.bytes.clone()]
    }

    /// The file to name in an error about the whole.
    pub fn path(&self) -> &Path {
        self.files[0].path()
    }

    fn require(&self, name: &str) -> Result<&Stored, ModelError> {
        self.get(name).ok_or_else(|| ModelError::MissingTensor { path: self.path().to_owned(), name: name.to_owned() })
    }

    fn place(&self, source: &Source, shape: Vec<usize>) -> Result<Place, ModelError> {
        let stored = self.require(&source.name)?;
        let mut whole = shape.clone();
        whole[0] *= source.parts;
        if stored.shape != whole {
            return Err(ModelError::Shape {
                path: self.files[stored.file].path().to_owned(),
                name: source.name.clone(),
                expected: whole,
                received: stored.shape.clone(),
            });
        }
        let part = |range: &Range<usize>| {
            let length = range.len() / source.parts;
            range.start + source.part * length..range.start + (source.part + 1) * length
        };
        let scales = match stored.data_type {
            DataType::I8 => Some(part(&self.scales(&source.name, stored, whole[0])?)),
            DataType::I16 => Some(self.scales(&source.name, stored, 1)?),
            _ => None,
        };
        Ok(Place { file: stored.file, bytes: part(&stored.bytes), shape, data_type: stored.data_type, scales })
    }

    fn scales(&self, name: &str, stored: &Stored, count: usize) -> Result<Range<usize>, ModelError> {
        let scales = self.require(&scale_name(name))?;
        if scales.data_type != DataType::F32
            || scales.file != stored.file
            || scales.shape.iter().product::<usize>() != count
        {
            return Err(invalid(
                self.files[scales.file].path(),
                &format!("tensor {}", scale_name(name)),
                format_args!("{count} F32 numbers, the divisors of {name}"),
                format_args!("of type {:?} and shape {:?}", scales.data_type, scales.shape),
            ));
        }
        Ok(scales.bytes.clone())
    }
}

#[derive(Debug)]
struct Place {
    file: usize,
    bytes: Range<usize>,
    shape: Vec<usize>,
    data_type: DataType,
    scales: Option<Range<usize>>,
}

fn scale_name(name: &str) -> String {
    format!("{name}_scale")
}

/// Every tensor of a model with these sizes, by canonical name.
fn expected(config: &Config) -> Vec<(String, Vec<usize>)> {
    let width = config.width;
    let mut tensors = vec![
        ("encoder.conv1.weight".to_owned(), vec![width, config.mel_bins, 3]),
        ("encoder.conv1.bias".to_owned(), vec![width]),
        ("encoder.conv2.weight".to_owned(), vec![width, width, 3]),
        ("encoder.conv2.bias".to_owned(), vec![width]),
        ("encoder.positions".to_owned(), vec![config.audio_positions, width]),
        ("decoder.tokens".to_owned(), vec![config.vocabulary_size, width]),
        ("decoder.positions".to_owned(), vec![config.text_positions, width]),
    ];
    let stacks: [(&str, usize, &[&str]); 2] = [
        ("encoder", config.encoder_layers, &["attention"]),
        ("decoder", config.decoder_layers, &["attention", "cross"]),
    ];
    for (stack, layers, attentions) in stacks {
        for layer in 0..layers {
            let block = format!("{stack}.blocks.{layer}");
            for attention in attentions {
                tensors.extend(norm(format_args!("{block}.{attention}.norm"), width));
                for projection in ["query", "key", "value", "out"] {
                    let [weight, bias] = linear(format_args!("{block}.{attention}.{projection}"), width, width);
                    tensors.push(weight);
                    if projection != "key" {
                        tensors.push(bias);
                    }
                }
            }
            tensors.extend(norm(format_args!("{block}.mlp.norm"), width));
            tensors.extend(linear(format_args!("{block}.mlp.up"), 4 * width, width));
            tensors.extend(linear(format_args!("{block}.mlp.down"), width, 4 * width));
        }
        tensors.extend(norm(format_args!("{stack}.norm"), width));
    }
    tensors
}

fn linear(name: std::fmt::Arguments<'_>, output: usize, input: usize) -> [(String, Vec<usize>); 2] {
    [(format!("{name}.weight"), vec![output, input]), (format!("{name}.bias"), vec![output])]
}

fn norm(name: std::fmt::Arguments<'_>, width: usize) -> [(String, Vec<usize>); 2] {
    [(format!("{name}.weight"), vec![width]), (format!("{name}.bias"), vec![width])]
}

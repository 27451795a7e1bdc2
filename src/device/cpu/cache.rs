//! Packed weights in files, so that a later load maps them, and the processes that do share the memory.
//!
//! A file is a line of 64 bytes (magic number, checksum of all that follows, length of the header), the header in JSON, filled
//! up with spaces, and the matrices, each its panels, scales and sums in whole lines. It is written beside its place and
//! renamed, and never changed after that. What does not fit to the last bit is as good as no file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::checksum::{self, BLOCK, checksum};
use super::packed::{Lines, Panels};
use super::precision::Precision;
use super::simd::{Isa, Line};
use super::store::Matrix;
use crate::device::team::Team;
use crate::device::{Identity, Mapping, Program};

/// To be raised whenever the same weights are packed into other bits.
const VERSION: u32 = 1;
/// As a number in the processor's own order of bytes, in which all of the file is.
const MAGIC: u64 = u64::from_be_bytes(*b"whisperp");
const LINE: usize = size_of::<Line>();
/// What a process that was killed left half written is removed after this long.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The file of one program.
pub struct Place {
    path: PathBuf,
    key: Key,
}

/// What the packed bits depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    version: u32,
    /// Of the crate.
    release: String,
    isa: String,
    precision: String,
    files: Vec<Identity>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    key: Key,
    matrices: Vec<Matrix>,
    /// The first byte of each matrix, from the first one's on.
    places: Vec<usize>,
}

/// A file that is whole and of the right program.
pub struct Contents {
    mapping: Arc<Mapping>,
    header: Header,
    /// Where the first matrix is.
    first: usize,
}

impl Place {
    /// The place in `folder` for what is packed of `files` for `program`.
    pub fn new(folder: &Path, program: &Program, files: Vec<Identity>, isa: Isa, precision: Precision) -> Self {
        let (isa, precision) = (isa.name().to_owned(), precision.name().to_owned());
        let paths: Vec<&Path> = files.iter().map(|file| &*file.path).collect();
        let matrices: Vec<&str> = program.matrices().collect();
        let name = format!("{paths:?} {matrices:?} {isa} {precision}");
        let name = checksum::of_blocks(name.as_bytes().chunks(BLOCK).map(checksum::of_block), name.len());
        let path = folder.join(format!("{name:016x}.packed"));
        let release = env!("CARGO_PKG_VERSION").to_owned();
        Self { path, key: Key { version: VERSION, release, isa, precision, files } }
    }

    /// Maps the file, or says why it is of no use.
    pub fn open(&self, team: &Team) -> Result<Contents, String> {
        let path = self.path.display();
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err("there were none yet".into()),
            Ok(metadata) if !metadata.is_file() => return Err(format!("{path} is no file")),
            _ => {}
        }
        let mapping = File::open(&self.path).and_then(|file| Mapping::new(&file));
        let mapping = Arc::new(mapping.map_err(|error| format!("{path}: {error}"))?);
        let contents =
            Contents::new(mapping, team).ok_or_else(|| format!("{path} is damaged or of another version"))?;
        if contents.header.key == self.key {
            Ok(contents)
        } else {
            Err(format!("{path} is of another version, or the model has changed"))
        }
    }

    /// Writes the file, or says why it cannot be.
    pub fn write(&self, matrices: &[(Matrix, Arc<Panels>)]) -> Result<(), String> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let unique = format!("{}-{}-{now}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let partial = self.path.with_extension(format!("{unique}.partial"));
        let written = self.create(&partial).and_then(|file| {
            let written = self.fill(file, matrices).and_then(|()| fs::rename(&partial, &self.path));
            written.inspect_err(|_| {
                // What cannot be removed now is removed later.
                let _ = fs::remove_file(&partial);
            })
        });
        written.map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// A new file in the folder, which is made if need be; both for the user alone.
    fn create(&self, path: &Path) -> io::Result<File> {
        let (mut folder_builder, mut options) = (DirBuilder::new(), OpenOptions::new());
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
            folder_builder.mode(0o700);
            options.mode(0o600);
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        folder_builder.recursive(true).create(folder)?;
        remove_abandoned(folder);
        options.write(true).create_new(true).open(path)
    }

    /// The file is not synchronised: what a power failure leaves of it is found by the checksum.
    fn fill(&self, mut file: File, matrices: &[(Matrix, Arc<Panels>)]) -> io::Result<()> {
        let mut header = Header { key: self.key.clone(), matrices: Vec::new(), places: Vec::new() };
        let mut place = 0;
        for (matrix, panels) in matrices {
            header.matrices.push(matrix.clone());
            header.places.push(place);
            place += LINE * panels.lines().len() + size_of::<f32>() * (panels.scales.len() + panels.sums.len());
        }
        let mut header = serde_json::to_vec(&header).map_err(io::Error::other)?;
        header.resize(header.len().next_multiple_of(LINE), b' ');
        file.write_all(&[0; LINE])?;
        let mut body = Body { file: &mut file, block: Vec::with_capacity(BLOCK), sums: Vec::new(), length: 0 };
        body.write(&header)?;
        for (_, panels) in matrices {
            body.write(Line::bytes(panels.lines()))?;
            for numbers in [&panels.scales, &panels.sums] {
                let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_ne_bytes()).collect();
                body.write(&bytes)?;
            }
        }
        let sum = body.end()?;
        file.rewind()?;
        file.write_all(&first_line(sum, header.len()))
    }
}

/// What precedes the header.
fn first_line(checksum: u64, header_length: usize) -> [u8; LINE] {
    let mut line = [0; LINE];
    for (bytes, number) in line.chunks_exact_mut(8).zip([MAGIC, checksum, header_length as u64]) {
        bytes.copy_from_slice(&number.to_ne_bytes());
    }
    line
}

/// Files that nobody can be writing any more. That one cannot be removed is no loss.
fn remove_abandoned(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if entry.path().extension().is_some_and(|extension| extension == "partial")
            && age().is_some_and(|age| age > ABANDONED)
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes in blocks, whose sums it takes on the way.
struct Body<'a> {
    file: &'a mut File,
    block: Vec<u8>,
    sums: Vec<u64>,
    length: usize,
}

impl Body<'_> {
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len();
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sums.push(checksum::of_block(&self.block));
        self.file.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    fn end(mut self) -> io::Result<u64> {
        if !self.block.is_empty() {
            self.flush()?;
        }
        Ok(checksum::of_blocks(self.sums.into_iter(), self.length))
    }
}

impl Contents {
    /// Checks every bit.
    fn new(mapping: Arc<Mapping>, team: &Team) -> Option<Self> {
        let (line, body) = mapping.split_first_chunk::<LINE>()?;
        let length = usize::try_from(u64::from_ne_bytes(*line[16..].first_chunk()?)).ok()?;
        let header = serde_json::from_slice(body.get(..length)?).ok()?;
        if *line != first_line(checksum(team, body), length) {
            return None;
        }
        Some(Self { mapping, header, first: LINE + length })
    }

    /// The panels of a matrix, if they are there.
    pub fn panels(&self, matrix: &Matrix, groups: usize, panel_columns: usize) -> Option<Panels> {
        let index = self.header.matrices.iter().position(|other| other == matrix)?;
        let columns = matrix.columns.next_multiple_of(panel_columns);
        let first = self.first.checked_add(*self.header.places.get(index)?)?;
        let scales = first.checked_add(groups.checked_mul(columns)?.checked_mul(size_of::<u32>())?)?;
        let sums = scales.checked_add(columns * size_of::<f32>())?;
        let end = sums.checked_add(columns * size_of::<f32>())?;
        let lines = Lines::mapped(self.mapping.clone(), first..scales)?;
        let numbers = |range: Range<usize>| -> Option<Vec<f32>> {
            Some(self.mapping.get(range)?.as_chunks().0.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect())
        };
        Some(Panels::kept(lines, numbers(scales..sums)?, numbers(sums..end)?, groups, panel_columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_half_written_is_removed_after_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["new.partial", "old.partial", "old.packed"].map(|name| folder.path().join(name));
        for name in &names {
            let file = File::create(name).unwrap();
            if !name.ends_with("new.partial") {
                file.set_modified(SystemTime::now() - 2 * ABANDONED).unwrap();
            }
        }
        remove_abandoned(folder.path());
        assert_eq!(names.map(|name| name.exists()), [true, false, true]);
    }
}

//! Packed weights in files: the results are those of packing, whatever is in the folder.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod toy;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gstwhispernpu::decoder::Decoder;
use gstwhispernpu::device::Origin;
use gstwhispernpu::device::cpu::{Cpu, Isa, Precision};
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::model::Model;
use tempfile::TempDir;

/// States and logits, bit by bit.
type Bits = (Vec<u32>, Vec<u32>);

/// A copy of the toy model and a folder for its packed weights.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.model()).unwrap();
        for name in ["model.bin", "config.json", "vocabulary.json"] {
            // Into a file that is writable, whatever the original's permissions are.
            fs::write(place.model().join(name), fs::read(Path::new(toy::MODEL).join(name)).unwrap()).unwrap();
        }
        place
    }

    fn model(&self) -> PathBuf {
        self.folder.path().join("model")
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn load(&self) -> (Bits, [Origin; 2]) {
        load(&self.model(), Some(self.cache()), Isa::all().pop().unwrap(), Precision::Int8)
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn load(model: &Path, cache: Option<PathBuf>, isa: Isa, precision: Precision) -> (Bits, [Origin; 2]) {
    let model = Model::map(model).unwrap();
    let cpu = Cpu::with_isa(2, precision, isa).unwrap().with_cache(cache);
    let encoder = Encoder::new(&cpu, &model.config, &model.weights).unwrap();
    let decoder = Decoder::new(&cpu, &model).unwrap();
    let mel: Vec<f32> = (0..200 * model.config.mel_bins).map(|index| (index as f32 * 0.37).sin()).collect();
    let mut session = encoder.session();
    let states = session.encode(&mel).unwrap();
    let mut network = decoder.session(1);
    network.listen(0, states).unwrap();
    let logits = network.step([(0, [1, 2, 3].as_slice())].into_iter()).unwrap();
    let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect();
    ((bits(states), bits(logits)), [encoder.origin().clone(), decoder.origin().clone()])
}

fn packed(place: &Place) -> Bits {
    let (bits, origins) = load(&place.model(), None, Isa::all().pop().unwrap(), Precision::Int8);
    assert_eq!(origins, [Origin::Packed, Origin::Packed]);
    bits
}

#[track_caller]
fn all_kept(origins: &[Origin]) {
    assert!(origins.iter().all(|origin| matches!(origin, Origin::Kept { .. })), "{origins:?}");
}

#[test]
fn a_second_load_maps_what_the_first_one_packed() {
    let place = Place::new();
    for precision in [Precision::Int8, Precision::Bf16] {
        for isa in Isa::all() {
            let load = |cache| load(&place.model(), cache, isa, precision);
            let (expected, _) = load(None);
            let (first, origins) = load(Some(place.cache()));
            all_kept(&origins);
            let (second, origins) = load(Some(place.cache()));
            assert_eq!(origins, [Origin::Cached, Origin::Cached], "{precision:?}, {isa:?}");
            assert!(first == expected && second == expected, "{precision:?}, {isa:?}");
        }
    }
    // Of each precision and instruction set, encoder and decoder, and nothing besides.
    assert_eq!(place.files().len(), 2 * 2 * Isa::all().len());
    assert!(place.files().iter().all(|file| file.extension().unwrap() == "packed"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place.cache()), mode(&place.files()[0])), (0o700, 0o600));
}

#[test]
fn the_reference_is_not_kept() {
    let place = Place::new();
    let (_, origins) = load(&place.model(), Some(place.cache()), Isa::all()[0], Precision::F32);
    assert_eq!(origins, [Origin::Packed, Origin::Packed]);
    assert!(!place.cache().exists());
}

/// Whoever changes what packing writes has to raise `VERSION` in `src/device/cpu/cache.rs`, so that older files are not used.
#[test]
fn the_version_says_what_packing_writes() {
    let place = Place::new();
    for precision in [Precision::Int8, Precision::Bf16] {
        load(&place.model(), Some(place.cache()), Isa::named("portable").unwrap(), precision);
    }
    let mut sums: Vec<u64> = place.files().iter().map(|file| sum(matrices(&fs::read(file).unwrap()))).collect();
    sums.sort();
    assert_eq!(sums, PACKED_BY_VERSION_1);
}

const PACKED_BY_VERSION_1: [u64; 4] =
    [3288871551879103357, 3627515363347270462, 12438762773796427172, 12809590496691912685];

/// What follows the header.
fn matrices(file: &[u8]) -> &[u8] {
    &file[64 + usize::try_from(u64::from_ne_bytes(file[16..24].try_into().unwrap())).unwrap()..]
}

/// FNV-1a.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Puts something else in the place of a kept file and expects that it is packed afresh, and kept again.
#[track_caller]
fn spoil(place: &Place, expected: &Bits, content: &[u8], what: &str) {
    let file = &place.files()[0];
    // Beside it and renamed, as mapped files have to be replaced.
    let new = place.folder.path().join("new");
    fs::write(&new, content).unwrap();
    fs::rename(new, file).unwrap();
    let (bits, origins) = place.load();
    assert!(bits == *expected, "{what}");
    let kept: Vec<_> = origins.iter().filter(|origin| matches!(origin, Origin::Kept { .. })).collect();
    assert_eq!(kept.len(), 1, "{what}: {origins:?}");
    assert!(kept[0].to_string().contains("damaged"), "{what}: {origins:?}");
}

#[test]
fn damage_is_found_and_mended() {
    let place = Place::new();
    let expected = packed(&place);
    place.load();
    let whole = fs::read(&place.files()[0]).unwrap();
    let header = whole.len() - matrices(&whole).len();
    let places = (0..24).chain([40, 63, 64, 65, 90, header - 1, header, header + 1]);
    let many = (header..whole.len()).step_by(whole.len() / 20);
    for byte in places.chain(many).chain([whole.len() - 1]) {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1 << (byte % 8);
        spoil(&place, &expected, &flipped, &format!("byte {byte}"));
    }
    for length in [0, 1, 23, 63, 64, 100, header, header + 64, whole.len() - 64, whole.len() - 1] {
        spoil(&place, &expected, &whole[..length], &format!("{length} bytes"));
    }
    spoil(&place, &expected, &[whole.clone(), vec![0; 64]].concat(), "a longer file");
    assert_eq!(fs::read(&place.files()[0]).unwrap(), whole);
    let (bits, origins) = place.load();
    assert_eq!((bits == expected, origins), (true, [Origin::Cached, Origin::Cached]));
}

#[test]
fn a_file_of_another_program_is_of_no_use() {
    let place = Place::new();
    let expected = packed(&place);
    place.load();
    let files = place.files();
    let [first, second] = [0, 1].map(|index| fs::read(&files[index]).unwrap());
    for (file, content) in [(&files[0], second), (&files[1], first)] {
        let new = place.folder.path().join("new");
        fs::write(&new, content).unwrap();
        fs::rename(new, file).unwrap();
    }
    let (bits, origins) = place.load();
    assert!(bits == expected);
    all_kept(&origins);
}

#[test]
fn a_model_that_changed_is_packed_again() {
    let place = Place::new();
    place.load();
    let file = place.model().join("model.bin");
    let touch = || {
        let time = SystemTime::now() - Duration::from_secs(3);
        File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
    };
    touch();
    all_kept(&place.load().1);
    assert_eq!(place.load().1, [Origin::Cached, Origin::Cached]);

    // Other weights of the same length, in a file with the same time.
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    for byte in bytes[middle..middle + 4096].chunks_exact_mut(4) {
        byte[0] ^= 0x10;
    }
    let new = place.folder.path().join("new");
    fs::write(&new, bytes).unwrap();
    File::options().write(true).open(&new).unwrap().set_modified(time).unwrap();
    fs::rename(new, &file).unwrap();
    let (bits, origins) = place.load();
    all_kept(&origins);
    assert!(bits == packed(&place));
    assert_eq!(place.files().len(), 2);
}

#[test]
fn what_cannot_be_kept_is_used_and_said() {
    let place = Place::new();
    let expected = packed(&place);
    // A file where the folder should be: also root cannot write into it.
    fs::write(place.cache(), b"").unwrap();
    let (bits, origins) = place.load();
    assert!(bits == expected);
    assert!(origins.iter().all(|origin| matches!(origin, Origin::NotKept { .. })), "{origins:?}");

    fs::remove_file(place.cache()).unwrap();
    place.load();
    for file in place.files() {
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
    }
    let (bits, origins) = place.load();
    assert!(bits == expected);
    assert!(origins.iter().all(|origin| matches!(origin, Origin::NotKept { .. })), "{origins:?}");
    assert_eq!(place.files().len(), 2, "nothing half written is left");
}

#[test]
fn many_at_once_all_get_what_they_need() {
    let place = Place::new();
    let expected = packed(&place);
    std::thread::scope(|scope| {
        let loads: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..3).map(|_| place.load()).collect::<Vec<_>>())).collect();
        for (bits, origins) in loads.into_iter().flat_map(|load| load.join().unwrap()) {
            assert!(bits == expected);
            assert!(origins.iter().all(|origin| matches!(origin, Origin::Kept { .. } | Origin::Cached)), "{origins:?}");
        }
    });
    assert_eq!(place.load().1, [Origin::Cached, Origin::Cached]);
    assert_eq!(place.files().len(), 2);
}

#[test]
fn a_file_that_is_replaced_while_it_is_mapped_stays_valid() {
    let place = Place::new();
    place.load();
    let isa = Isa::all().pop().unwrap();
    let model = Model::map(&place.model()).unwrap();
    let cpu = Cpu::with_isa(1, Precision::Int8, isa).unwrap().with_cache(Some(place.cache()));
    let encoder = Encoder::new(&cpu, &model.config, &model.weights).unwrap();
    assert_eq!(*encoder.origin(), Origin::Cached);
    let mel = vec![0.5; 100 * model.config.mel_bins];
    let states = encoder.session().encode(&mel).unwrap().to_vec();
    for file in place.files() {
        let new = place.folder.path().join("new");
        fs::write(&new, b"something else").unwrap();
        fs::rename(new, &file).unwrap();
    }
    assert!(encoder.session().encode(&mel).unwrap() == states);
}

#[test]
fn weights_that_are_not_finite_are_found_while_packing() {
    let place = Place::new();
    place.load();
    let file = place.model().join("model.bin");
    let bytes = fs::read(&file).unwrap();
    let first = place.files()[0].clone();
    for share in [4, 3, 2] {
        let mut bytes = bytes.clone();
        let place_of = (bytes.len() / share) & !3;
        bytes[place_of - 64..place_of].fill(0xff);
        fs::write(&file, &bytes).unwrap();
        let model = Model::map(&place.model());
        let cpu = Cpu::with_isa(1, Precision::Int8, Isa::all()[0]).unwrap().with_cache(Some(place.cache()));
        let prepared = model.map(|model| {
            Encoder::new(&cpu, &model.config, &model.weights).is_ok() && Decoder::new(&cpu, &model).is_ok()
        });
        assert!(!prepared.unwrap_or(false), "a share of {share}");
        assert!(Model::open(&place.model()).is_err());
    }
    assert!(first.exists());
}

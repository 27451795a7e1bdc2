//! What a listener makes of samples, on made-up weights.

use std::sync::{Arc, LazyLock};

use gstwhispernpu::segment::voice::{CHUNK_SAMPLES, Voice};
use proptest::prelude::*;

use crate::synthetic::{self, Tensors};
use crate::twin;

static TENSORS: LazyLock<Tensors> = LazyLock::new(synthetic::tensors);
static VOICE: LazyLock<Arc<Voice>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("voice.safetensors");
    synthetic::write(&TENSORS, &path);
    Voice::open(&path).unwrap()
});

fn heard(pieces: &[&[f32]]) -> Vec<f32> {
    let mut probabilities = Vec::new();
    let mut listener = VOICE.listener();
    pieces.iter().for_each(|piece| listener.push(piece, &mut probabilities));
    probabilities
}

#[test]
fn the_network_agrees_with_its_slow_twin() {
    let sound = synthetic::sound(40 * CHUNK_SAMPLES + 300);
    let probabilities = heard(&[&sound]);
    let expected = twin::probabilities(&TENSORS, &sound);
    assert_eq!(probabilities.len(), expected.len());
    for (index, (probability, expected)) in probabilities.iter().zip(&expected).enumerate() {
        assert!((*probability as f64 - expected).abs() < 1e-4, "chunk {index}: {probability} for {expected}");
    }
    // The comparison would mean little if all chunks were alike.
    let range = expected.iter().fold((1.0f64, 0.0f64), |(low, high), p| (low.min(*p), high.max(*p)));
    assert!(range.1 - range.0 > 0.3, "{range:?}");
}

#[test]
fn a_last_part_of_a_chunk_is_filled_up_with_zeros() {
    let mut sound = synthetic::sound(3 * CHUNK_SAMPLES + 100);
    let mut listener = VOICE.listener();
    for _ in 0..2 {
        let mut probabilities = Vec::new();
        listener.push(&sound, &mut probabilities);
        assert_eq!(probabilities.len(), 3);
        // Twice the same: the listener is at the beginning again after `finish`.
        listener.finish(&mut probabilities);
        sound.resize(4 * CHUNK_SAMPLES, 0.0);
        assert_eq!(probabilities, heard(&[&sound]));
        sound.truncate(3 * CHUNK_SAMPLES + 100);
    }
    let mut none = Vec::new();
    listener.finish(&mut none);
    assert!(none.is_empty());
}

#[test]
fn after_a_reset_nothing_is_remembered() {
    let sound = synthetic::sound(5 * CHUNK_SAMPLES);
    let mut listener = VOICE.listener();
    listener.push(&sound[..2000], &mut Vec::new());
    listener.reset();
    let mut probabilities = Vec::new();
    listener.push(&sound, &mut probabilities);
    assert_eq!(probabilities, heard(&[&sound]));
}

#[test]
fn listeners_do_not_hear_each_other() {
    let sound = synthetic::sound(6 * CHUNK_SAMPLES);
    let (mut one, mut other) = (VOICE.listener(), VOICE.listener());
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for piece in sound.chunks(700) {
        one.push(piece, &mut first);
        other.push(&vec![0.1; piece.len()], &mut second);
    }
    assert_eq!(first, heard(&[&sound]));
    assert_eq!(second, heard(&[&vec![0.1; sound.len()]]));
}

#[test]
fn bad_samples_do_not_deafen() {
    let sound = synthetic::sound(100 * CHUNK_SAMPLES);
    let clean = heard(&[&sound]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        let mut spoilt = sound.clone();
        spoilt[300..1000].fill(bad);
        let probabilities = heard(&[&spoilt]);
        assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{bad}: {probabilities:?}");
        let difference = (probabilities[99] - clean[99]).abs();
        assert!(difference < 1e-3, "three seconds after {bad} the probability is still off by {difference}");
    }
}

#[test]
fn all_users_share_one_copy_of_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("voice.safetensors");
    synthetic::write(&TENSORS, &path);
    let voice = Voice::open(&path).unwrap();
    assert!(Arc::ptr_eq(&voice, &Voice::open(&folder.path().join("./voice.safetensors")).unwrap()));
    assert!(!Arc::ptr_eq(&voice, &VOICE));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_pieces_in_which_samples_come_do_not_matter(
        cuts in prop::collection::vec(0..6 * CHUNK_SAMPLES + 77, 0..12)
    ) {
        let sound = synthetic::sound(6 * CHUNK_SAMPLES + 77);
        let mut cuts = cuts;
        cuts.extend([0, sound.len()]);
        cuts.sort();
        let pieces: Vec<&[f32]> = cuts.windows(2).map(|pair| &sound[pair[0]..pair[1]]).collect();
        prop_assert_eq!(heard(&pieces), heard(&[&sound]));
    }
}

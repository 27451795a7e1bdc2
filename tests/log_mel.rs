//! The spectrogram of a stream: how it is made piece by piece, what it sees at its ends, and the fast front end beside the
//! exact one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::Range;

use gstwhispernpu::device::cpu::{Cpu, Isa, Precision};
use gstwhispernpu::mel::{FrontEnd, HOP_SAMPLES, Spectrogram, WINDOW_FRAMES};
use proptest::prelude::*;

const BINS: usize = 80;
const HOP: u64 = HOP_SAMPLES as u64;

fn front(isa: Isa, precision: Precision) -> FrontEnd {
    FrontEnd::new(&Cpu::with_isa(1, precision, isa).unwrap(), BINS).unwrap()
}

fn fast() -> FrontEnd {
    front(Isa::choose().unwrap(), Precision::Int8)
}

fn exact() -> FrontEnd {
    front(Isa::choose().unwrap(), Precision::F32)
}

/// A tone that glides over noise, loud and quiet by turns, with a second of nothing.
fn sound(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let sample = |n: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(state) / f64::from(1u32 << 31) - 1.0;
        let level = 10f64.powi(-((n / 8_000 % 5) as i32));
        let tone = (n as f64 * (0.05 + n as f64 * 1e-6)).sin();
        if (30_000..46_000).contains(&n) { 0.0 } else { (level * (0.3 * tone + 0.001 * noise)) as f32 }
    };
    (0..count).map(sample).collect()
}

fn heard(front: &FrontEnd, samples: &[f32], pieces: &[usize]) -> Spectrogram {
    let (mut spectrogram, mut rest) = (front.spectrogram(), samples);
    for &piece in pieces.iter().cycle() {
        let (now, later) = rest.split_at(piece.min(rest.len()));
        spectrogram.push(now).unwrap();
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    spectrogram.end().unwrap();
    spectrogram
}

fn window(spectrogram: &Spectrogram, place: Range<u64>) -> Vec<f32> {
    spectrogram.window(&place).unwrap().to_vec()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_pieces_give_the_same_bits(pieces in prop::collection::vec(1usize..60_000, 1..6), count in 1usize..120_000) {
        let (front, samples) = (fast(), sound(count));
        let whole = window(&heard(&front, &samples, &[usize::MAX]), 0..count as u64);
        let pieced = window(&heard(&front, &samples, &pieces), 0..count as u64);
        prop_assert_eq!(whole.len(), (count + 200).div_ceil(HOP_SAMPLES) * BINS);
        prop_assert!(bits(&whole) == bits(&pieced));
    }
}

#[test]
fn single_samples_give_the_same_bits() {
    let (front, samples) = (fast(), sound(2_500));
    let whole = window(&heard(&front, &samples, &[usize::MAX]), 0..2_500);
    assert_eq!(bits(&whole), bits(&window(&heard(&front, &samples, &[1]), 0..2_500)));
}

#[test]
fn a_window_is_cut_out_of_the_whole_and_ends_where_it_does() {
    let (front, samples) = (fast(), sound(100_000));
    let spectrogram = heard(&front, &samples, &[usize::MAX]);
    let whole = window(&spectrogram, 0..100_000);
    let part = window(&spectrogram, 300 * HOP..400 * HOP);
    assert_eq!(bits(&part), bits(&whole[300 * BINS..400 * BINS]), "what is before and behind it is seen");
    let last = window(&spectrogram, 600 * HOP..100_000);
    assert_eq!(bits(&last), bits(&whole[600 * BINS..]), "the end is seen to the last frame that sees a sample");
    assert_eq!(last.len(), 27 * BINS);
}

#[test]
fn a_frame_waits_for_its_samples_and_a_forgotten_one_is_gone() {
    let (front, samples) = (fast(), sound(3_000_000));
    let mut spectrogram = front.spectrogram();
    spectrogram.push(&samples[..16_039]).unwrap();
    assert_eq!(spectrogram.window(&(0..16_000)), None);
    spectrogram.push(&samples[16_039..16_040]).unwrap();
    assert!(spectrogram.window(&(0..16_000)).is_some());
    spectrogram.push(&samples[16_040..]).unwrap();
    let before = window(&spectrogram, 2_400_000..2_880_000);
    assert_eq!(before.len(), WINDOW_FRAMES * BINS);
    spectrogram.forget(2_400_000);
    assert_eq!(bits(&before), bits(&window(&spectrogram, 2_400_000..2_880_000)));
}

#[test]
fn the_beginning_is_mirrored_and_silence_follows_the_end() {
    let front = exact();
    let samples = sound(1_000);
    let spectrogram = window(&heard(&front, &samples, &[77]), 0..1_000);
    // The same by hand: 160 samples more before the mirrored ones, so that the first frame of those is frame 1.
    let mut padded = vec![0.0; 160];
    padded.extend(samples[1..=200].iter().rev());
    padded.extend(&samples);
    padded.extend([0.0; 1_000]);
    let by_hand = window(&heard(&front, &padded, &[usize::MAX]), 0..padded.len() as u64);
    // A frame of the padded stream is centred 360 samples later; the grids meet where 360 + 40 is a multiple of the hop.
    padded.splice(..0, [0.0; 120]);
    let shifted = window(&heard(&front, &padded, &[usize::MAX]), 0..padded.len() as u64);
    let frames = spectrogram.len() / BINS;
    assert_eq!(frames, 8);
    assert_eq!(bits(&spectrogram), bits(&shifted[3 * BINS..][..frames * BINS]));
    assert_ne!(bits(&spectrogram), bits(&by_hand[3 * BINS..][..frames * BINS]));
}

#[test]
fn streams_of_a_few_samples_have_frames_too() {
    let front = fast();
    for count in [1, 2, 199, 200, 201, 399, 400, 401] {
        let mel = window(&heard(&front, &vec![0.5; count], &[1]), 0..count as u64);
        assert_eq!(mel.len(), (count + 200).div_ceil(HOP_SAMPLES) * BINS, "{count} samples");
        assert!(mel.iter().any(|&x| x > -6.0), "{count} samples: {mel:?}");
    }
    let empty = heard(&front, &[], &[1]);
    assert_eq!(empty.window(&(0..0)), Some(&[][..]));
}

#[test]
fn silence_is_exactly_the_floor_on_every_instruction_set() {
    for isa in Isa::all() {
        let mel = window(&heard(&front(isa, Precision::Int8), &vec![0.0; 5_000], &[usize::MAX]), 0..5_000);
        assert!(mel.iter().all(|&x| x == -10.0), "{isa:?}");
    }
}

/// Whoever sends what no sound is gets numbers at least, and the frames beside it stay what they are.
#[test]
fn samples_that_are_no_sound_harm_their_frames_alone() {
    for isa in Isa::all() {
        let front = front(isa, Precision::Int8);
        let mut samples = sound(8_000);
        let clean = window(&heard(&front, &samples, &[usize::MAX]), 0..8_000);
        for (place, sample) in [(2_400, f32::NAN), (2_401, f32::INFINITY), (2_402, 1e38), (2_403, -1e30)] {
            samples[place] = sample;
        }
        let mel = window(&heard(&front, &samples, &[usize::MAX]), 0..8_000);
        assert!(mel.iter().all(|x| x.is_finite()), "{isa:?}");
        assert_eq!(bits(&mel[..13 * BINS]), bits(&clean[..13 * BINS]), "{isa:?}");
        assert_eq!(bits(&mel[17 * BINS..]), bits(&clean[17 * BINS..]), "{isa:?}");
    }
}

/// The model sees 8 decades below a window's greatest; f32 is good to 1e-3 of a decade there, and much better above.
#[test]
fn the_fast_front_end_agrees_with_the_exact_one() {
    let samples = sound(80_000);
    let exact = window(&heard(&exact(), &samples, &[usize::MAX]), 0..80_000);
    let greatest = exact.iter().copied().fold(f32::MIN, f32::max);
    for isa in Isa::all() {
        let fast = window(&heard(&front(isa, Precision::Int8), &samples, &[usize::MAX]), 0..80_000);
        for (index, (fast, exact)) in fast.iter().zip(&exact).enumerate() {
            let (frame, bin, error) = (index / BINS, index % BINS, (fast - exact).abs());
            let allowed = if *exact > greatest - 6.0 { 2e-5 } else { 1e-3 };
            assert!(error < allowed, "{isa:?}: frame {frame}, bin {bin}: {fast}, not {exact}");
        }
    }
}

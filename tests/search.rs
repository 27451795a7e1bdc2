//! How texts are searched for, on the toy model: lanes, temperatures, what is rejected, and language.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod toy;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use gstwhispernpu::decoder::{Batch, Decoder, Decoding, Language, Options};
use gstwhispernpu::device::cpu::{Cpu, Precision};
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::mel::{FrontEnd, normalise};
use gstwhispernpu::model::Model;
use gstwhispernpu::segment::Purpose;
use toy::{Phrase, Timbre, add_noise, beeps};

const LANES: usize = 8;

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(Model::open(Path::new(toy::MODEL)).unwrap()));
static CPU: LazyLock<Cpu> = LazyLock::new(|| Cpu::new(1, Precision::Int8).unwrap());

/// Beeps in so much noise that the model is unsure of them.
fn unsure() -> Vec<f32> {
    let phrases = [Phrase::new(0.5, &[0, 1, 2]), Phrase::new(3.0, &[3, 4, 1]), Phrase::new(5.4, &[4, 3, 2, 1])];
    let mut samples = beeps(&phrases, 10.0);
    add_noise(&mut samples, 0.8);
    states(&samples)
}

fn sure(timbre: Timbre) -> Vec<f32> {
    states(&beeps(&[Phrase { timbre, ..Phrase::new(0.5, &[0, 1, 2]) }], 5.0))
}

fn states(samples: &[f32]) -> Vec<f32> {
    let bins = MODEL.config.mel_bins;
    let mut spectrogram = FrontEnd::new(&*CPU, bins).unwrap().spectrogram();
    spectrogram.push(samples).unwrap();
    spectrogram.end().unwrap();
    let log_mel = spectrogram.window(&(0..samples.len() as u64)).unwrap().to_vec();
    let mut mel = vec![0.0; Purpose::Final.frames_to_encode(samples.len()) * bins];
    normalise(&log_mel, &mut mel);
    Encoder::new(&*CPU, &MODEL.config, &MODEL.weights).unwrap().session().encode(&mel).unwrap().to_vec()
}

fn batch() -> Batch {
    let decoder = Decoder::new(&*CPU, &MODEL).unwrap();
    Batch::new(MODEL.clone(), decoder.session(LANES))
}

fn decode(states: &[f32], options: &Options, seed: u64) -> Decoding {
    let mut batch = batch();
    batch.begin(0, states, options, seed).unwrap();
    run(&mut batch).remove(0).1
}

fn run(batch: &mut Batch) -> Vec<(usize, Decoding)> {
    let mut ended = Vec::new();
    while batch.free_lanes().len() < LANES {
        batch.spread(0);
        ended.extend(batch.step().unwrap());
    }
    ended.sort_by_key(|(lane, _)| *lane);
    ended
}

/// By which texts are ranked: the end counts for the probability, and not for the length.
fn score(decoding: &Decoding) -> f32 {
    let length = decoding.tokens.len() as f32;
    decoding.average_log_probability * (length + 1.0) / length
}

#[test]
fn more_beams_write_what_one_writes_where_the_model_is_sure() {
    let states = sure(Timbre::English);
    let greedy = decode(&states, &Options::default(), 0);
    assert!(MODEL.vocabulary.decode(&greedy.tokens).contains("do re mi"));
    for beam_size in 2..=LANES {
        let beams = decode(&states, &Options { beam_size, ..Options::default() }, 0);
        assert_eq!(beams.tokens, greedy.tokens, "{beam_size} beams");
        assert!((beams.average_log_probability - greedy.average_log_probability).abs() < 1e-4);
    }
}

#[test]
fn a_window_is_decoded_alike_alone_and_beside_others() {
    let (unsure, sure) = (unsure(), sure(Timbre::English));
    let beams = Options { beam_size: 3, ..Options::default() };
    let samples = Options { temperatures: vec![0.8], best_of: 3, ..Options::default() };
    let alone = [decode(&unsure, &beams, 1), decode(&sure, &Options::default(), 2), decode(&unsure, &samples, 3)];
    let mut batch = batch();
    batch.begin(6, &unsure, &beams, 1).unwrap();
    batch.step().unwrap();
    let lane = batch.free_lanes()[1];
    batch.begin(lane, &sure, &Options::default(), 2).unwrap();
    let other = batch.free_lanes()[0];
    batch.begin(other, &unsure, &samples, 3).unwrap();
    let ended = run(&mut batch);
    let at = |lane| &ended.iter().find(|(begun, _)| *begun == lane).unwrap().1;
    assert_eq!([at(6), at(lane), at(other)], [&alone[0], &alone[1], &alone[2]]);
}

#[test]
fn a_seed_decides_what_is_drawn() {
    let states = unsure();
    let drawn = |seed| decode(&states, &Options { temperatures: vec![1.0], best_of: 2, ..Options::default() }, seed);
    assert_eq!(drawn(5), drawn(5));
    assert!((6..12).any(|seed| drawn(seed).tokens != drawn(5).tokens));
    assert_eq!(drawn(5).temperature, 1.0);
}

#[test]
fn the_best_of_more_texts_is_no_worse() {
    let states = unsure();
    let mut last = f32::NEG_INFINITY;
    for best_of in [1, 2, 5, 12] {
        let options = Options {
            temperatures: vec![1.0],
            best_of,
            length_penalty: None,
            log_probability_threshold: None,
            no_speech_threshold: None,
            ..Options::default()
        };
        let now = score(&decode(&states, &options, 5));
        assert!(now >= last - 1e-5, "best of {best_of}: {now}, less than {last}");
        last = now;
    }
}

#[test]
fn each_reason_to_reject_a_text_leads_to_the_next_temperature() {
    let states = sure(Timbre::English);
    let plain = Options {
        temperatures: vec![0.0, 0.5],
        compression_ratio_threshold: None,
        log_probability_threshold: None,
        no_speech_threshold: None,
        ..Options::default()
    };
    let first = decode(&states, &plain, 0);
    assert_eq!(first.temperature, 0.0);

    // A threshold between what the two temperatures reach: the second text is taken because the first was rejected.
    let at_second = decode(&states, &Options { temperatures: vec![0.5], ..plain.clone() }, 0);
    let never = Options { log_probability_threshold: Some(f32::INFINITY), ..plain.clone() };
    let least_bad = decode(&states, &never, 0);
    let likeliest = first.average_log_probability.max(at_second.average_log_probability);
    assert_eq!(least_bad.average_log_probability, likeliest);
    assert!(!least_bad.is_silent);

    let repetitive = Options { compression_ratio_threshold: Some(-1.0), ..plain.clone() };
    assert_eq!(decode(&states, &repetitive, 0), least_bad);

    // Where no speech is likely an unlikely text is not written again.
    let silent = decode(&states, &Options { no_speech_threshold: Some(-1.0), ..never }, 0);
    assert!(silent.is_silent && silent.temperature == 0.0);
    // A likely one is, if it repeats itself.
    let looped = Options {
        no_speech_threshold: Some(-1.0),
        log_probability_threshold: Some(-1e9),
        compression_ratio_threshold: Some(-1.0),
        ..plain
    };
    assert!(!decode(&states, &looped, 0).is_silent);
}

#[test]
fn a_text_that_is_rejected_at_0_is_drawn_above_it() {
    let states = unsure();
    let zero = decode(&states, &Options { no_speech_threshold: None, ..Options::default() }, 0);
    // Only what is likelier than the text of temperature 0 will do, and if nothing is, that text.
    let options = Options {
        temperatures: Options::ladder(),
        log_probability_threshold: Some(zero.average_log_probability + 1e-3),
        compression_ratio_threshold: None,
        no_speech_threshold: None,
        ..Options::default()
    };
    let taken = decode(&states, &options, 0);
    assert!(taken.average_log_probability >= zero.average_log_probability);
    assert_eq!(taken.temperature > 0.0, taken.average_log_probability > zero.average_log_probability);
}

#[test]
fn a_text_holds_no_end_and_no_command() {
    let states = unsure();
    let special = &MODEL.vocabulary.special;
    for (beam_size, temperature) in [(1, 0.0), (5, 0.0), (1, 1.0)] {
        let options = Options { beam_size, temperatures: vec![temperature], ..Options::default() };
        let tokens = decode(&states, &options, 0).tokens;
        assert!(tokens.len() <= MODEL.config.text_positions / 2);
        let is_text = |token: &u32| *token < special.end_of_text || *token >= special.timestamp_begin;
        assert!(tokens.iter().all(is_text), "{tokens:?}");
    }
}

#[test]
fn a_detected_language_comes_with_its_probability() {
    for (timbre, code) in [(Timbre::English, "en"), (Timbre::German, "de")] {
        let states = sure(timbre);
        let auto = Options { language: Language::Auto, ..Options::default() };
        let heard = decode(&states, &auto, 0);
        assert_eq!(heard.language, code);
        let probability = heard.language_probability.unwrap();
        assert!(probability > 0.9 && probability <= 1.0, "{probability}");
        // What stands before the window has no say in its language.
        let prompted = decode(&states, &Options { vocabulary: vec!["so".into()], ..auto }, 0);
        assert_eq!(prompted.language, code);
        assert!((prompted.language_probability.unwrap() - probability).abs() < 1e-5);
        let given = Options { language: Language::Code(code.into()), ..Options::default() };
        assert_eq!(decode(&states, &given, 0).language_probability, None);
    }
}

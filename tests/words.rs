//! Words through the pipeline on the toy model, whose alignment is too rough to hold its times to the beeps.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod toy;

use std::path::Path;
use std::sync::Arc;

use gstwhispernpu::commit::Policy;
use gstwhispernpu::decoder::Options;
use gstwhispernpu::device::cpu::{Cpu, Precision};
use gstwhispernpu::device::{Device, DeviceError, Prepared, Program, Tensors};
use gstwhispernpu::mel::FrontEnd;
use gstwhispernpu::model::Model;
use gstwhispernpu::scheduler::{Devices, Pipeline, Placement};
use gstwhispernpu::segment::{Limits, Window};
use gstwhispernpu::stream::Stream;
use gstwhispernpu::transcript::Segment;
use toy::{Phrase, beeps, talk};

/// A processor that does not give the probabilities of its attention.
struct WithoutProbabilities(Cpu);

impl Device for WithoutProbabilities {
    fn name(&self) -> &'static str {
        "without probabilities"
    }

    fn prepare(&self, program: &Program, tensors: &dyn Tensors) -> Result<Arc<dyn Prepared>, DeviceError> {
        self.0.prepare(program, tensors)
    }
}

#[test]
fn only_words_are_added_and_only_if_asked_for() {
    let phrases = talk(28.0, 3.3);
    let mut segments = said(&devices(), &phrases, &words());
    assert!(segments.iter().all(|segment| !segment.words.is_empty()));
    segments.iter_mut().for_each(|segment| segment.words.clear());
    assert_eq!(segments, said(&devices(), &phrases, &Options::default()));
}

#[test]
fn the_processor_times_the_words_of_a_decoder_whose_device_cannot() {
    let phrases = talk(28.0, 4.1);
    let cannot = Devices { decoder: Arc::new(WithoutProbabilities(cpu())), ..devices() };
    assert_eq!(said(&cannot, &phrases, &words()), said(&devices(), &phrases, &words()));
}

fn words() -> Options {
    Options { words: true, ..Options::default() }
}

fn cpu() -> Cpu {
    Cpu::new(1, Precision::F32).unwrap()
}

fn devices() -> Devices {
    let placement = Placement { precision: Some(Precision::F32), threads: 1, ..Placement::default() };
    Devices::choose(&placement).unwrap()
}

/// What a pipeline says of one window with these phrases.
fn said(devices: &Devices, phrases: &[Phrase], options: &Options) -> Vec<Segment> {
    let model = Arc::new(Model::open(Path::new(toy::MODEL)).unwrap());
    let window = window(&FrontEnd::new(&*devices.mel, model.config.mel_bins).unwrap(), &beeps(phrases, 29.0));
    let mut session = Pipeline::new(model, devices).unwrap().session(2);
    session.begin(1, &window, options).unwrap();
    loop {
        if let Some((lane, transcript)) = session.step().unwrap().pop() {
            assert_eq!(lane, 1);
            return transcript.segments;
        }
    }
}

fn window(front: &FrontEnd, samples: &[f32]) -> Window {
    let mut stream = Stream::new(Limits::default(), Policy::Segment, None, front.spectrogram());
    stream.push(samples).unwrap();
    stream.end().unwrap();
    stream.window().unwrap()
}

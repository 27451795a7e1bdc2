//! A window has the same states whenever it is encoded, on however many threads.

use std::path::Path;

use gstwhispernpu::device::npu::{NpuEmulator, Target};
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::model::Model;

use crate::harness::numbers;
use crate::toy;

#[test]
fn states_are_the_same_each_time_on_any_number_of_threads() {
    let model = Model::open(Path::new(toy::MODEL)).unwrap();
    let [one, other] = [41, 42].map(|seed| numbers(1000, model.config.mel_bins, 1.0, seed));
    for is_int8 in [false, true] {
        let mut states: Vec<Vec<u32>> = Vec::new();
        for threads in [1, 2] {
            let array = NpuEmulator::new(Target::NPU1, threads, is_int8).unwrap();
            let mut session = Encoder::new(&array, &model.config, &model.weights).unwrap().session();
            for window in [&one, &other, &one] {
                let encoded = session.encode(window.elements()).unwrap();
                states.push(encoded.iter().map(|state| state.to_bits()).collect());
            }
        }
        assert!(states[0] != states[1], "two windows are told apart");
        for (index, again) in states.iter().enumerate() {
            assert!(*again == states[index % 3 % 2], "int8 {is_int8}: run {index}");
        }
    }
}

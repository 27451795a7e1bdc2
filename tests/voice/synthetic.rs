//! Made-up weights in the shapes of Silero's network, and made-up sound.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// Shape and values by name.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Weights under which the probability moves over most of its range with the sound.
pub fn tensors() -> Tensors {
    let mut random = Random(7);
    let mut tensors = Tensors::new();
    let mut add = |name: &str, shape: &[usize], level: f32| {
        let values = (0..shape.iter().product()).map(|_| level * random.next()).collect();
        tensors.insert(name.to_owned(), (shape.to_vec(), values));
    };
    for (index, (inputs, outputs)) in [(129, 128), (128, 64), (64, 64), (64, 128)].into_iter().enumerate() {
        add(&format!("conv{}.weight", index + 1), &[outputs, inputs, 3], 0.2);
        add(&format!("conv{}.bias", index + 1), &[outputs], 0.2);
    }
    for part in ["ih", "hh"] {
        add(&format!("lstm_cell.weight_{part}"), &[512, 128], 0.3);
        add(&format!("lstm_cell.bias_{part}"), &[512], 0.3);
    }
    add("final_conv.weight", &[1, 128, 1], 1.0);
    add("final_conv.bias", &[1], 0.3);
    tensors.insert("stft_conv.weight".to_owned(), (vec![258, 1, 256], fourier()));
    tensors
}

/// Cosines and negative sines of 129 frequencies under a periodic Hann window.
fn fourier() -> Vec<f32> {
    let weight = |row: usize, n: usize| {
        let turn = TAU * (row % 129) as f64 * n as f64 / 256.0;
        let hann = (TAU / 2.0 * n as f64 / 256.0).sin().powi(2);
        (if row < 129 { hann * turn.cos() } else { -hann * turn.sin() }) as f32
    };
    (0..258 * 256).map(|index| weight(index / 256, index % 256)).collect()
}

pub fn write(tensors: &Tensors, path: &Path) {
    let bytes: BTreeMap<&str, Vec<u8>> = tensors
        .iter()
        .map(|(name, (_, values))| (name.as_str(), values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        .collect();
    let views = tensors
        .iter()
        .map(|(name, (shape, _))| (name, TensorView::new(Dtype::F32, shape.clone(), &bytes[name.as_str()]).unwrap()));
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// Tones that come and go, and noise.
pub fn sound(count: usize) -> Vec<f32> {
    let mut random = Random(1);
    (0..count)
        .map(|n| {
            let time = n as f64 / 16e3;
            let tone = (TAU * 300.0 * time).sin() * (TAU * 1.7 * time).sin().max(0.0);
            0.4 * tone as f32 + 0.05 * random.next()
        })
        .collect()
}

/// Numbers from -1 to 1 of a linear congruential generator, the one of `scripts/make-voice-golden.py`.
pub struct Random(pub u32);

impl Random {
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 as f64 / 2_147_483_648.0 - 1.0) as f32
    }
}

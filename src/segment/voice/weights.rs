//! The network's tensors, as `silero_vad_16k.safetensors` holds them.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::VoiceError;
use super::network::{CONVOLUTIONS, WIDTH};
use super::spectrum::{self, BINS, FRAME_SAMPLES};

/// Many times the length of the file; what is longer is not read.
const LONGEST_FILE_BYTES: u64 = 1 << 24;
/// A stored weight of the Fourier transform may be this far from its formula: some rounding errors of an f32.
const FOURIER_TOLERANCE: f64 = 1e-6;

/// All weights behind the Fourier transform, row-major.
pub(super) struct Weights {
    /// The four convolutions: weights (out, in, 3) and bias (out).
    pub convolutions: [(Vec<f32>, Vec<f32>); 4],
    /// What the gates make of the input, (4 · WIDTH, WIDTH), in the order input, forget, cell, output.
    pub from_input: Vec<f32>,
    /// What the gates make of the former output, the same shape.
    pub from_hidden: Vec<f32>,
    /// Both biases of the gates, added up.
    pub gate_bias: Vec<f32>,
    /// From the output to the probability's logit, (WIDTH).
    pub output: Vec<f32>,
    /// Bias of that.
    pub output_bias: f32,
}

impl Weights {
    /// Reads and checks the file: presence and shape of every tensor, every weight finite, the first layer as expected.
    pub fn open(path: &Path) -> Result<Self, VoiceError> {
        let bytes = read(path)?;
        let format = |received: String| VoiceError::Format {
            path: path.to_owned(),
            expected: "Silero's network in the safetensors format".to_owned(),
            received,
        };
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| format(format!("not readable so ({error})")))?;
        let file = File { path, tensors };
        file.check_fourier("stft_conv.weight")?;
        let [first, second, third, fourth] = std::array::from_fn(|index| {
            let (inputs, outputs) = CONVOLUTIONS[index];
            let name = |part| format!("conv{}.{part}", index + 1);
            Ok((file.tensor(&name("weight"), &[outputs, inputs, 3])?, file.tensor(&name("bias"), &[outputs])?))
        });
        let mut gate_bias = file.tensor("lstm_cell.bias_ih", &[4 * WIDTH])?;
        for (sum, bias) in gate_bias.iter_mut().zip(file.tensor("lstm_cell.bias_hh", &[4 * WIDTH])?) {
            *sum += bias;
        }
        Ok(Self {
            convolutions: [first?, second?, third?, fourth?],
            from_input: file.tensor("lstm_cell.weight_ih", &[4 * WIDTH, WIDTH])?,
            from_hidden: file.tensor("lstm_cell.weight_hh", &[4 * WIDTH, WIDTH])?,
            gate_bias,
            output: file.tensor("final_conv.weight", &[1, WIDTH, 1])?,
            output_bias: file.tensor("final_conv.bias", &[1])?[0],
        })
    }
}

struct File<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl File<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, VoiceError> {
        let tensor = self
            .tensors
            .tensor(name)
            .map_err(|_| VoiceError::MissingTensor { path: self.path.to_owned(), name: name.to_owned() })?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
            return Err(VoiceError::Shape {
                path: self.path.to_owned(),
                name: name.to_owned(),
                expected: format!("{:?} {shape:?}", Dtype::F32),
                received: format!("{:?} {:?}", tensor.dtype(), tensor.shape()),
            });
        }
        let values: Vec<f32> = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(VoiceError::NotFinite { path: self.path.to_owned(), name: name.to_owned(), index }),
            None => Ok(values),
        }
    }

    fn check_fourier(&self, name: &str) -> Result<(), VoiceError> {
        let values = self.tensor(name, &[2 * BINS, 1, FRAME_SAMPLES])?;
        let expected = |index| spectrum::weight(index / FRAME_SAMPLES, index % FRAME_SAMPLES);
        let differs = |(index, value): (usize, &f32)| (*value as f64 - expected(index)).abs() > FOURIER_TOLERANCE;
        match values.iter().enumerate().position(differs) {
            Some(index) => Err(VoiceError::NotFourier {
                path: self.path.to_owned(),
                name: name.to_owned(),
                index,
                expected: expected(index).to_string(),
                received: values[index].to_string(),
            }),
            None => Ok(()),
        }
    }
}

/// The whole file. Devices, pipes and sockets are refused unopened, because reading one may never end.
fn read(path: &Path) -> Result<Vec<u8>, VoiceError> {
    let io = |error: std::io::Error| VoiceError::Io {
        path: path.to_owned(),
        kind: error.kind(),
        message: error.to_string(),
    };
    let metadata = std::fs::metadata(path).map_err(io)?;
    if !metadata.is_file() || metadata.len() > LONGEST_FILE_BYTES {
        return Err(VoiceError::Format {
            path: path.to_owned(),
            expected: format!("a file of at most {LONGEST_FILE_BYTES} bytes"),
            received: if metadata.is_file() {
                format!("one of {} bytes", metadata.len())
            } else {
                "a folder, device, pipe or socket".to_owned()
            },
        });
    }
    std::fs::read(path).map_err(io)
}

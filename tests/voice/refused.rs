//! Files that are not the network, or not whole.

use std::path::Path;

use gstwhispernpu::segment::voice::{Voice, VoiceError};

use crate::synthetic::{self, Tensors};

/// The error of opening the made-up weights with something changed.
fn refusal(change: impl FnOnce(&mut Tensors)) -> VoiceError {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("voice.safetensors");
    let mut tensors = synthetic::tensors();
    change(&mut tensors);
    synthetic::write(&tensors, &path);
    refusal_of(&path)
}

fn refusal_of(path: &Path) -> VoiceError {
    let Err(error) = Voice::open(path) else { panic!("{} was taken", path.display()) };
    let text = error.to_string();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(text.contains(name), "{text}");
    assert!(text.contains("scripts/get-model silero-vad"), "{text}");
    error
}

#[test]
fn every_tensor_is_needed_in_its_shape() {
    for tensor in synthetic::tensors().into_keys() {
        let error = refusal(|tensors| drop(tensors.remove(&tensor)));
        assert!(matches!(&error, VoiceError::MissingTensor { name, .. } if *name == tensor), "{error}");
        let error = refusal(|tensors| {
            let (shape, values) = tensors.get_mut(&tensor).unwrap();
            values.extend_from_within(..values.len() / shape[0]);
            shape[0] += 1;
        });
        assert!(matches!(&error, VoiceError::Shape { name, .. } if *name == tensor), "{error}");
    }
    let error = refusal(|tensors| tensors.get_mut("lstm_cell.weight_ih").unwrap().0 = vec![128, 512]);
    assert!(error.to_string().contains("F32 [512, 128], but it is F32 [128, 512]"), "{error}");
}

#[test]
fn a_weight_that_is_no_number_is_named() {
    for bad in [f32::NAN, f32::INFINITY] {
        let error = refusal(|tensors| tensors.get_mut("conv3.bias").unwrap().1[17] = bad);
        assert!(matches!(&error, VoiceError::NotFinite { name, index: 17, .. } if name == "conv3.bias"), "{error}");
    }
}

#[test]
fn another_first_layer_is_refused() {
    let error = refusal(|tensors| tensors.get_mut("stft_conv.weight").unwrap().1[130 * 256 + 9] += 1e-3);
    assert!(matches!(&error, VoiceError::NotFourier { index, .. } if *index == 130 * 256 + 9), "{error}");
}

#[test]
fn files_of_another_kind_or_length_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("voice.safetensors");
    assert!(matches!(refusal_of(&path), VoiceError::Io { kind: std::io::ErrorKind::NotFound, .. }));
    assert!(matches!(refusal_of(folder.path()), VoiceError::Format { .. }));
    synthetic::write(&synthetic::tensors(), &path);
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 5, 8, 1000, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(refusal_of(&path), VoiceError::Format { .. }), "the first {length} bytes");
    }
    std::fs::write(&path, [b"PK\x03\x04", &whole[..10_000]].concat()).unwrap();
    assert!(matches!(refusal_of(&path), VoiceError::Format { .. }));
}

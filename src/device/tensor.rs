//! Weights as a device sees them: a name, a shape, an element type and bytes that somebody else keeps alive.

mod blocks;
mod data_type;
mod finite;
mod k_blocks;

use std::{borrow::Cow, ops::Range};

use half::slice::HalfFloatSliceExt;

pub use data_type::DataType;

use super::{DeviceError, Identity};

/// A tensor in memory that is not ours to change: row-major, of at most a handful of dimensions.
#[derive(Clone, Debug)]
pub struct TensorView<'a> {
    /// Name in the model's canonical vocabulary, for messages.
    pub name: Cow<'a, str>,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Element type of `bytes`.
    pub data_type: DataType,
    /// The elements, with no alignment promised.
    pub bytes: &'a [u8],
    /// For [`DataType::I8`] and [`DataType::I16`]: little-endian f32 divisors, one a row or one for all; else empty.
    pub scales: &'a [u8],
}

/// Where a device finds the weights that a program names.
pub trait Tensors: Sync {
    /// The tensor called `name`, or an error that says which tensor is missing.
    fn tensor(&self, name: &str) -> Result<TensorView<'_>, DeviceError>;

    /// The files that all tensors are read from, if they are what identifies the tensors.
    fn identity(&self) -> Option<Vec<Identity>> {
        None
    }

    /// Says that what was read so far is packed, so that its memory may be given back; it can still be read again.
    fn release(&self) {}
}

impl<'a> TensorView<'a> {
    /// A view whose elements need no scales; the length of `bytes` is checked against the shape.
    pub fn new(
        name: impl Into<Cow<'a, str>>,
        shape: Vec<usize>,
        data_type: DataType,
        bytes: &'a [u8],
    ) -> Result<Self, DeviceError> {
        let name = name.into();
        match data_type.byte_length(&shape) {
            Some(length) if length == bytes.len() => Ok(Self { name, shape, data_type, bytes, scales: &[] }),
            length => Err(DeviceError::Length {
                name: name.into_owned(),
                shape,
                expected: length.unwrap_or(usize::MAX),
                received: bytes.len(),
            }),
        }
    }

    /// Number of elements: the product of the dimensions.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Fails unless the dimensions are `expected`.
    pub fn expect_shape(&self, expected: &[usize]) -> Result<(), DeviceError> {
        if self.shape == expected {
            return Ok(());
        }
        Err(DeviceError::Shape {
            name: self.name.to_string(),
            expected: expected.to_vec(),
            received: self.shape.clone(),
        })
    }

    /// The view of a range of the first dimension, on the same bytes.
    pub fn rows(&self, range: Range<usize>) -> Result<TensorView<'a>, DeviceError> {
        let rows = self.shape.first().copied().unwrap_or(0);
        let failed = || DeviceError::Rows { name: self.name.to_string(), first: range.start, end: range.end, rows };
        if range.start > range.end || range.end > rows {
            return Err(failed());
        }
        let row_bytes = self.data_type.byte_length(&self.shape[1..]).ok_or_else(failed)?;
        let bytes = self.bytes.get(range.start * row_bytes..range.end * row_bytes).ok_or_else(failed)?;
        let scales = match self.scales.len() {
            length if length > SCALE_BYTES => {
                self.scales.get(range.start * SCALE_BYTES..range.end * SCALE_BYTES).ok_or_else(failed)?
            }
            _ => self.scales,
        };
        let mut shape = self.shape.clone();
        shape[0] = range.len();
        Ok(TensorView { name: self.name.clone(), shape, data_type: self.data_type, bytes, scales })
    }

    /// The elements as f32.
    pub fn to_f32(&self) -> Vec<f32> {
        let (block_elements, block_bytes) = self.data_type.block();
        let mut values = vec![0.0; self.bytes.len() / block_bytes * block_elements];
        self.decode(&mut values);
        values
    }

    /// Writes the elements as f32 into `out`, which must have exactly as many.
    pub fn read_f32(&self, out: &mut [f32]) -> Result<(), DeviceError> {
        let (block_elements, block_bytes) = self.data_type.block();
        let stored = self.bytes.len() / block_bytes * block_elements;
        if out.len() != self.elements() || out.len() != stored {
            return Err(DeviceError::Shape {
                name: self.name.to_string(),
                expected: self.shape.clone(),
                received: vec![out.len()],
            });
        }
        self.decode(out);
        Ok(())
    }

    /// Index of the first element that is infinite or not a number, or `None`; in a quantised tensor, of its block's first
    /// element.
    pub fn first_not_finite(&self) -> Option<usize> {
        finite::first_not_finite(self)
    }

    /// The elements as f32, or an error that says which is infinite or not a number.
    pub fn to_finite_f32(&self) -> Result<Vec<f32>, DeviceError> {
        match self.first_not_finite() {
            Some(index) => Err(DeviceError::NotFinite { name: self.name.to_string(), index }),
            None => Ok(self.to_f32()),
        }
    }

    fn decode(&self, out: &mut [f32]) {
        match self.data_type {
            DataType::F32 => {
                for (value, bytes) in out.iter_mut().zip(self.bytes.as_chunks::<4>().0) {
                    *value = f32::from_le_bytes(*bytes);
                }
            }
            DataType::F16 => self.decode_halves(out, half::f16::from_bits),
            DataType::Bf16 => self.decode_halves(out, half::bf16::from_bits),
            DataType::I8 => self.decode_scaled(out, 1, |bytes| f32::from(bytes[0] as i8)),
            DataType::I16 => self.decode_scaled(out, 2, |bytes| f32::from(i16::from_le_bytes([bytes[0], bytes[1]]))),
            DataType::Q4_0 => blocks::decode(self.bytes, out, blocks::q4_0),
            DataType::Q4_1 => blocks::decode(self.bytes, out, blocks::q4_1),
            DataType::Q5_0 => blocks::decode(self.bytes, out, blocks::q5_0),
            DataType::Q5_1 => blocks::decode(self.bytes, out, blocks::q5_1),
            DataType::Q8_0 => blocks::decode(self.bytes, out, blocks::q8_0),
            DataType::Q2K => blocks::decode(self.bytes, out, k_blocks::q2),
            DataType::Q3K => blocks::decode(self.bytes, out, k_blocks::q3),
            DataType::Q4K => blocks::decode(self.bytes, out, k_blocks::q4),
            DataType::Q5K => blocks::decode(self.bytes, out, k_blocks::q5),
            DataType::Q6K => blocks::decode(self.bytes, out, k_blocks::q6),
        }
    }

    /// Goes through an aligned buffer, because the slice conversion with the processor's own instruction needs one.
    fn decode_halves<H: Copy + Default>(&self, out: &mut [f32], from_bits: fn(u16) -> H)
    where
        [H]: HalfFloatSliceExt,
    {
        const PIECE: usize = 1024;
        let mut halves = [H::default(); PIECE];
        for (values, bytes) in out.chunks_mut(PIECE).zip(self.bytes.chunks(2 * PIECE)) {
            for (half, bytes) in halves.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *half = from_bits(u16::from_le_bytes(*bytes));
            }
            halves[..values.len()].convert_to_f32_slice(values);
        }
    }

    /// CTranslate2 stores an integer and the number to divide it by (`src/ops/dequantize.cc`).
    fn decode_scaled(&self, out: &mut [f32], width: usize, integer: fn(&[u8]) -> f32) {
        let scales = self.scales.as_chunks::<SCALE_BYTES>().0;
        let row = out.len().checked_div(scales.len()).unwrap_or(0).max(1);
        for ((values, bytes), scale) in out.chunks_mut(row).zip(self.bytes.chunks(row * width)).zip(scales) {
            let scale = f32::from_le_bytes(*scale);
            for (value, bytes) in values.iter_mut().zip(bytes.chunks_exact(width)) {
                *value = integer(bytes) / scale;
            }
        }
    }
}

const SCALE_BYTES: usize = size_of::<f32>();

#[cfg(test)]
mod tests {
    use super::*;

    fn f32_bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn floats_of_every_width_read_the_same() {
        let values: Vec<f32> = (0..2500).map(|index| (index as f32 - 1200.0) / 4.0).collect();
        let f32s = f32_bytes(&values);
        let f16s: Vec<u8> = values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect();
        let small: Vec<f32> = values.iter().map(|value| value.signum() * 0.5).collect();
        let bf16s: Vec<u8> = small.iter().flat_map(|value| half::bf16::from_f32(*value).to_le_bytes()).collect();
        let view = |data_type, bytes| TensorView::new("x", vec![50, 50], data_type, bytes).unwrap().to_f32();
        assert_eq!(view(DataType::F32, &f32s), values);
        assert_eq!(view(DataType::F16, &f16s), values);
        assert_eq!(view(DataType::Bf16, &bf16s), small);
    }

    #[test]
    fn rows_are_the_middle_of_the_whole() {
        let values: Vec<f32> = (0..12).map(|index| index as f32).collect();
        let bytes = f32_bytes(&values);
        let view = TensorView::new("x", vec![4, 3], DataType::F32, &bytes).unwrap();
        let rows = view.rows(1..3).unwrap();
        assert_eq!(rows.shape, [2, 3]);
        assert_eq!(rows.to_f32(), values[3..9]);
        assert!(matches!(view.rows(2..5), Err(DeviceError::Rows { rows: 4, .. })));
    }

    #[test]
    fn integers_are_divided_by_their_row_scale() {
        let bytes = [10_i8, -20, 30, 40].map(|value| value as u8);
        let scales = f32_bytes(&[2.0, 10.0]);
        let view =
            TensorView { name: "x".into(), shape: vec![2, 2], data_type: DataType::I8, bytes: &bytes, scales: &scales };
        assert_eq!(view.to_f32(), [5.0, -10.0, 3.0, 4.0]);
        assert_eq!(view.rows(1..2).unwrap().to_f32(), [3.0, 4.0]);
        let wide: Vec<u8> = [1000_i16, -500].iter().flat_map(|value| value.to_le_bytes()).collect();
        let one = f32_bytes(&[1000.0]);
        let view =
            TensorView { name: "x".into(), shape: vec![2], data_type: DataType::I16, bytes: &wide, scales: &one };
        assert_eq!(view.to_f32(), [1.0, -0.5]);
    }

    #[test]
    fn a_buffer_of_another_size_is_refused() {
        let bytes = f32_bytes(&[1.0, 2.0]);
        let view = TensorView::new("x", vec![2], DataType::F32, &bytes).unwrap();
        assert!(matches!(view.read_f32(&mut [0.0; 3]), Err(DeviceError::Shape { .. })));
        assert!(matches!(TensorView::new("x", vec![3], DataType::F32, &bytes), Err(DeviceError::Length { .. })));
        assert!(matches!(TensorView::new("x", vec![1], DataType::Q8_0, &bytes), Err(DeviceError::Length { .. })));
    }
}

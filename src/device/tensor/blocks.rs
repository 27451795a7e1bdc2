//! ggml's blocks of 32 elements: element `i` of the first half is the low nibble of byte `i`, of the second the high one.

use half::f16;

/// Decodes block after block of `BYTES` bytes into `ELEMENTS` values.
pub(super) fn decode<const BYTES: usize, const ELEMENTS: usize>(
    bytes: &[u8],
    out: &mut [f32],
    block: fn(&[u8; BYTES], &mut [f32; ELEMENTS]),
) {
    for (bytes, out) in bytes.as_chunks::<BYTES>().0.iter().zip(out.as_chunks_mut::<ELEMENTS>().0) {
        block(bytes, out);
    }
}

/// The half-precision number at `offset`.
pub(super) fn half_at(bytes: &[u8], offset: usize) -> f32 {
    f16::from_le_bytes([bytes[offset], bytes[offset + 1]]).to_f32()
}

/// scale, nibbles: (nibble - 8) * scale.
pub(super) fn q4_0(block: &[u8; 18], out: &mut [f32; 32]) {
    let scale = half_at(block, 0);
    for (index, byte) in block[2..].iter().enumerate() {
        out[index] = f32::from((byte & 15) as i8 - 8) * scale;
        out[index + 16] = f32::from((byte >> 4) as i8 - 8) * scale;
    }
}

/// scale, minimum, nibbles: nibble * scale + minimum.
pub(super) fn q4_1(block: &[u8; 20], out: &mut [f32; 32]) {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    for (index, byte) in block[4..].iter().enumerate() {
        out[index] = f32::from(byte & 15) * scale + minimum;
        out[index + 16] = f32::from(byte >> 4) * scale + minimum;
    }
}

/// scale, fifth bits, nibbles: (value - 16) * scale.
pub(super) fn q5_0(block: &[u8; 22], out: &mut [f32; 32]) {
    let scale = half_at(block, 0);
    let high = [block[2], block[3], block[4], block[5]];
    for (index, byte) in block[6..].iter().enumerate() {
        out[index] = f32::from((byte & 15 | fifth_bit(high, index)) as i8 - 16) * scale;
        out[index + 16] = f32::from((byte >> 4 | fifth_bit(high, index + 16)) as i8 - 16) * scale;
    }
}

/// scale, minimum, fifth bits, nibbles: value * scale + minimum.
pub(super) fn q5_1(block: &[u8; 24], out: &mut [f32; 32]) {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    let high = [block[4], block[5], block[6], block[7]];
    for (index, byte) in block[8..].iter().enumerate() {
        out[index] = f32::from(byte & 15 | fifth_bit(high, index)) * scale + minimum;
        out[index + 16] = f32::from(byte >> 4 | fifth_bit(high, index + 16)) * scale + minimum;
    }
}

/// scale, signed bytes: byte * scale.
pub(super) fn q8_0(block: &[u8; 34], out: &mut [f32; 32]) {
    let scale = half_at(block, 0);
    for (value, byte) in out.iter_mut().zip(&block[2..]) {
        *value = f32::from(*byte as i8) * scale;
    }
}

fn fifth_bit(high: [u8; 4], index: usize) -> u8 {
    (u32::from_le_bytes(high) >> index << 4 & 16) as u8
}

#[cfg(test)]
mod tests {
    use crate::device::{DataType, TensorView};

    /// Two blocks of made-up bytes: halves at these offsets, elements 1, 20, n/2-1, n/2+17, n-2, and the sum over all
    /// weighted 1 to 7 in turn, as the Python package gguf 0.19 decodes them.
    const DECODED: [(DataType, &[usize], [f32; 5], f64); 10] = [
        (DataType::Q4_0, &[0], [-4.0, 0.5, -4.0, -4.0, -2.0], -109.0),
        (DataType::Q4_1, &[0, 2], [0.25, 5.75, -0.25, 11.5, 1.5], 1144.5),
        (DataType::Q5_0, &[0], [2.0, 2.0, -6.0, 9.0, -14.0], -277.5),
        (DataType::Q5_1, &[0, 2], [12.75, 8.25, 6.25, 10.5, 22.5], 2408.0),
        (DataType::Q8_0, &[0], [56.0, 4.0, -39.0, -111.0, 76.0], 773.5),
        (DataType::Q2K, &[80, 82], [1.0, 2.25, 13.5, 16.0, 6.5], 18306.0),
        (DataType::Q3K, &[108], [14.0, 2.0, -12.0, -112.0, -0.0], 2430.5),
        (DataType::Q4K, &[0, 2], [404.25, 435.25, 55.5, 118.5, 7.5], 438128.75),
        (DataType::Q5K, &[0, 2], [559.25, 280.25, 1.5, 273.0, 352.0], 689476.25),
        (DataType::Q6K, &[208], [66.0, -207.0, 638.0, 2688.0, -1250.0], 151451.5),
    ];

    #[test]
    fn blocks_decode_as_ggml_does() {
        for (data_type, halves, elements, weighted_sum) in DECODED {
            let (length, size) = data_type.block();
            let mut bytes: Vec<u8> = (0..2 * size).map(|i| ((i * i * 31 + i * 17 + 7) / 3) as u8).collect();
            for block in 0..2 {
                for (offset, number) in halves.iter().zip([0.5, -0.25]) {
                    let number = half::f16::from_f32(number * (block + 1) as f32).to_le_bytes();
                    bytes[block * size + offset..][..2].copy_from_slice(&number);
                }
            }
            let values = TensorView::new("x", vec![2, length], data_type, &bytes).unwrap().to_f32();
            let received = [1, 20, length - 1, length + 17, 2 * length - 2].map(|index| values[index]);
            assert_eq!(received, elements, "{data_type:?}");
            let sum: f64 = values.iter().enumerate().map(|(i, value)| f64::from(*value) * (i % 7 + 1) as f64).sum();
            assert_eq!(sum, weighted_sum, "{data_type:?}");
        }
    }
}

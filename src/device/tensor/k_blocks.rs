//! ggml's super-blocks of 256 elements, whose parts of 16 or 32 have small integer scales of their own.

use super::blocks::half_at;

/// 16 scales and minimums of 4 bits, 64 bytes of 2-bit values, scale, scale of the minimums.
pub(super) fn q2(block: &[u8; 84], out: &mut [f32; 256]) {
    let (scales, values) = (&block[..16], &block[16..80]);
    let (scale, minimum) = (half_at(block, 80), half_at(block, 82));
    for (part, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let (part_scale, part_minimum) = (scale * f32::from(scales[part] & 15), minimum * f32::from(scales[part] >> 4));
        for (index, out) in out.iter_mut().enumerate() {
            *out = part_scale * f32::from(two_bits(values, part, index)) - part_minimum;
        }
    }
}

/// 32 bytes of high bits, 64 bytes of 2-bit values, 16 scales of 6 bits, scale.
pub(super) fn q3(block: &[u8; 110], out: &mut [f32; 256]) {
    let (high, values, scales) = (&block[..32], &block[32..96], &block[96..108]);
    let scale = half_at(block, 108);
    for (part, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let low_nibble = if part < 8 { scales[part] & 15 } else { scales[part - 8] >> 4 };
        let upper_bits = scales[8 + part % 4] >> (2 * (part / 4)) & 3;
        let part_scale = scale * f32::from((low_nibble | upper_bits << 4) as i8 - 32);
        for (index, out) in out.iter_mut().enumerate() {
            let is_high = high[part % 2 * 16 + index] >> (part / 2) & 1 == 1;
            let value = two_bits(values, part, index) as i8 - if is_high { 0 } else { 4 };
            *out = part_scale * f32::from(value);
        }
    }
}

/// scale, scale of the minimums, 8 scales and minimums of 6 bits, 128 bytes of nibbles.
pub(super) fn q4(block: &[u8; 144], out: &mut [f32; 256]) {
    let (scales, values) = (&block[4..16], &block[16..]);
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    for (part, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (part_scale, part_minimum) = scale_and_minimum(scales, part);
        let (part_scale, part_minimum) = (scale * f32::from(part_scale), minimum * f32::from(part_minimum));
        for (index, out) in out.iter_mut().enumerate() {
            *out = part_scale * f32::from(nibble(values, part, index)) - part_minimum;
        }
    }
}

/// As [`q4`], with 32 bytes of fifth bits before the nibbles.
pub(super) fn q5(block: &[u8; 176], out: &mut [f32; 256]) {
    let (scales, high, values) = (&block[4..16], &block[16..48], &block[48..]);
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    for (part, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (part_scale, part_minimum) = scale_and_minimum(scales, part);
        let (part_scale, part_minimum) = (scale * f32::from(part_scale), minimum * f32::from(part_minimum));
        for (index, out) in out.iter_mut().enumerate() {
            let value = nibble(values, part, index) | (high[index] >> part & 1) << 4;
            *out = part_scale * f32::from(value) - part_minimum;
        }
    }
}

/// 128 bytes of low nibbles, 64 bytes of upper bits, 16 signed scales, scale.
pub(super) fn q6(block: &[u8; 210], out: &mut [f32; 256]) {
    let (low, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let scale = half_at(block, 208);
    for (part, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (half, quarter) = (part / 4, part % 4);
        for (index, out) in out.iter_mut().enumerate() {
            let low_bits = low[half * 64 + quarter % 2 * 32 + index] >> (quarter / 2 * 4) & 15;
            let high_bits = high[half * 32 + index] >> (2 * quarter) & 3;
            let value = (low_bits | high_bits << 4) as i8 - 32;
            *out = scale * f32::from(scales[part * 2 + index / 16] as i8) * f32::from(value);
        }
    }
}

/// Part of 16 elements: 32 bytes hold the same two bits of eight parts, two parts beside each other.
fn two_bits(values: &[u8], part: usize, index: usize) -> u8 {
    values[part / 8 * 32 + part % 2 * 16 + index] >> (part % 8 / 2 * 2) & 3
}

/// Part of 32 elements: 32 bytes hold the low nibbles of one part and the high nibbles of the next.
fn nibble(values: &[u8], part: usize, index: usize) -> u8 {
    values[part / 2 * 32 + index] >> (part % 2 * 4) & 15
}

/// 12 bytes hold eight scales and eight minimums of 6 bits, the upper bits of the last four folded into the first.
fn scale_and_minimum(scales: &[u8], part: usize) -> (u8, u8) {
    match part {
        0..4 => (scales[part] & 63, scales[part + 4] & 63),
        _ => {
            let low = scales[part + 4];
            (low & 15 | scales[part - 4] >> 6 << 4, low >> 4 | scales[part] >> 6 << 4)
        }
    }
}

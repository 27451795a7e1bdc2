//! The search for weights that are infinite or not a number, on the stored bits.

use half::f16;

use super::{DataType, TensorView};

/// Index of the first element that is not finite, or `None`; in a quantised tensor, of its block's first element.
pub(super) fn first_not_finite(view: &TensorView<'_>) -> Option<usize> {
    let (elements, _) = view.data_type.block();
    match view.data_type {
        DataType::F32 => first::<4>(view.bytes, |bytes| is_all_ones(u32::from_le_bytes(bytes) >> 16, F32_EXPONENT)),
        DataType::F16 => first::<2>(view.bytes, |bytes| is_all_ones(u16::from_le_bytes(bytes).into(), F16_EXPONENT)),
        DataType::Bf16 => first::<2>(view.bytes, |bytes| is_all_ones(u16::from_le_bytes(bytes).into(), F32_EXPONENT)),
        DataType::I8 | DataType::I16 => {
            let row = view.elements() / (view.scales.len() / 4).max(1);
            first::<4>(view.scales, |bytes| !f32::from_le_bytes(bytes).is_normal()).map(|index| index * row)
        }
        DataType::Q4_0 => first::<18>(view.bytes, |block| has_bad_half(&block, &[0])),
        DataType::Q4_1 => first::<20>(view.bytes, |block| has_bad_half(&block, &[0, 2])),
        DataType::Q5_0 => first::<22>(view.bytes, |block| has_bad_half(&block, &[0])),
        DataType::Q5_1 => first::<24>(view.bytes, |block| has_bad_half(&block, &[0, 2])),
        DataType::Q8_0 => first::<34>(view.bytes, |block| has_bad_half(&block, &[0])),
        DataType::Q2K => first::<84>(view.bytes, |block| has_bad_half(&block, &[80, 82])),
        DataType::Q3K => first::<110>(view.bytes, |block| has_bad_half(&block, &[108])),
        DataType::Q4K => first::<144>(view.bytes, |block| has_bad_half(&block, &[0, 2])),
        DataType::Q5K => first::<176>(view.bytes, |block| has_bad_half(&block, &[0, 2])),
        DataType::Q6K => first::<210>(view.bytes, |block| has_bad_half(&block, &[208])),
    }
    .map(|index| index * elements)
}

/// Exponent bits of the upper 16 bits of an f32, which are those of a bf16.
const F32_EXPONENT: u32 = 0x7F80;
const F16_EXPONENT: u32 = 0x7C00;

/// A whole piece is tested without branches, so that it vectorises, and searched only if something is in it.
fn first<const N: usize>(bytes: &[u8], is_bad: impl Fn([u8; N]) -> bool) -> Option<usize> {
    const PIECE: usize = 512;
    bytes.as_chunks::<N>().0.chunks(PIECE).enumerate().find_map(|(piece, chunks)| {
        let found = chunks.iter().fold(false, |found, chunk| found | is_bad(*chunk));
        if !found {
            return None;
        }
        chunks.iter().position(|chunk| is_bad(*chunk)).map(|index| piece * PIECE + index)
    })
}

fn is_all_ones(bits: u32, mask: u32) -> bool {
    bits & mask == mask
}

fn has_bad_half(block: &[u8], offsets: &[usize]) -> bool {
    offsets.iter().any(|offset| !f16::from_le_bytes([block[*offset], block[offset + 1]]).is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view<'a>(data_type: DataType, elements: usize, bytes: &'a [u8]) -> TensorView<'a> {
        TensorView { name: "x".into(), shape: vec![elements], data_type, bytes, scales: &[] }
    }

    #[test]
    fn infinities_and_nans_are_found_where_they_are() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = vec![65504.0_f32; 2000];
            values[1717] = bad;
            let f32s: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let f16s: Vec<u8> = values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
            let bf16s: Vec<u8> = values.iter().flat_map(|value| half::bf16::from_f32(*value).to_le_bytes()).collect();
            assert_eq!(first_not_finite(&view(DataType::F32, 2000, &f32s)), Some(1717));
            assert_eq!(first_not_finite(&view(DataType::F16, 2000, &f16s)), Some(1717));
            assert_eq!(first_not_finite(&view(DataType::Bf16, 2000, &bf16s)), Some(1717));
        }
    }

    #[test]
    fn the_largest_finite_numbers_pass() {
        let bytes: Vec<u8> =
            [f32::MAX, f32::MIN, 0.0, f32::MIN_POSITIVE].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(first_not_finite(&view(DataType::F32, 4, &bytes)), None);
        assert_eq!(first_not_finite(&view(DataType::Q8_0, 64, &[0x12; 68])), None);
    }

    #[test]
    fn a_bad_scale_spoils_its_block_or_row() {
        let mut blocks = [0x12; 68];
        blocks[34..36].copy_from_slice(&f16::NAN.to_le_bytes());
        assert_eq!(first_not_finite(&view(DataType::Q8_0, 64, &blocks)), Some(32));
        let scales: Vec<u8> = [1.0_f32, 0.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let rows = TensorView { scales: &scales, ..view(DataType::I8, 8, &[1; 8]) };
        assert_eq!(first_not_finite(&rows), Some(4));
    }
}

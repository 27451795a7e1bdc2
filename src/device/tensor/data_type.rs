//! Element types.

/// How the elements of a stored tensor are encoded, little-endian.
///
/// The Q types are the blocks of ggml (`ggml-common.h`): a few bits an element with the block's own scale and, in some,
/// minimum. A row holds a whole number of blocks and rows follow each other without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// The upper half of a single-precision number.
    Bf16,
    /// Signed byte, to be divided by the scale of its row.
    I8,
    /// Signed 16-bit integer, to be divided by the tensor's scale.
    I16,
    /// 4 bits, 32 elements a block.
    Q4_0,
    /// 4 bits with a minimum, 32 elements a block.
    Q4_1,
    /// 5 bits, 32 elements a block.
    Q5_0,
    /// 5 bits with a minimum, 32 elements a block.
    Q5_1,
    /// 8 bits, 32 elements a block.
    Q8_0,
    /// 2 bits, 256 elements a block.
    Q2K,
    /// 3 bits, 256 elements a block.
    Q3K,
    /// 4 bits, 256 elements a block.
    Q4K,
    /// 5 bits, 256 elements a block.
    Q5K,
    /// 6 bits, 256 elements a block.
    Q6K,
}

impl DataType {
    /// Elements and bytes of the smallest unit that stands by itself.
    pub fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::Bf16 | Self::I16 => (1, 2),
            Self::I8 => (1, 1),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q2K => (256, 84),
            Self::Q3K => (256, 110),
            Self::Q4K => (256, 144),
            Self::Q5K => (256, 176),
            Self::Q6K => (256, 210),
        }
    }

    /// Bytes of a tensor with these dimensions; `None` if a row is no whole number of blocks or the size overflows.
    pub fn byte_length(self, shape: &[usize]) -> Option<usize> {
        let (block_elements, block_bytes) = self.block();
        let row = shape.last().copied().unwrap_or(1);
        if !row.is_multiple_of(block_elements) {
            return None;
        }
        let elements = shape.iter().try_fold(1_usize, |product, dimension| product.checked_mul(*dimension))?;
        (elements / block_elements).checked_mul(block_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_whole_blocks_and_never_overflow() {
        assert_eq!(DataType::F16.byte_length(&[3, 5]), Some(30));
        assert_eq!(DataType::F32.byte_length(&[]), Some(4));
        assert_eq!(DataType::Q8_0.byte_length(&[2, 64]), Some(136));
        assert_eq!(DataType::Q8_0.byte_length(&[64, 2]), None);
        assert_eq!(DataType::F32.byte_length(&[usize::MAX, 2]), None);
        assert_eq!(DataType::F32.byte_length(&[usize::MAX]), None);
    }
}

//! A checksum over much data, for accidents and not for attacks.
//!
//! Each step is a bijection of the sum and of the word that enters, so that a change within one word always shows; any other
//! goes unseen once in some 2⁶⁴ times.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::device::team::Team;

/// Bytes that are summed up at a time.
pub const BLOCK: usize = 1 << 16;
/// Sums that go side by side, because a multiplication takes several cycles.
const LANES: usize = 8;

/// The sum of `bytes`, which all threads share.
pub fn checksum(team: &Team, bytes: &[u8]) -> u64 {
    let blocks: Vec<&[u8]> = bytes.chunks(BLOCK).collect();
    let sums: Vec<AtomicU64> = blocks.iter().map(|_| AtomicU64::new(0)).collect();
    team.run(blocks.len(), &|index, _| sums[index].store(of_block(blocks[index]), Ordering::Relaxed));
    of_blocks(sums.into_iter().map(AtomicU64::into_inner), bytes.len())
}

/// The sum of blocks of [`BLOCK`] bytes, the last one shorter, that are `length` bytes together.
pub fn of_blocks(sums: impl Iterator<Item = u64>, length: usize) -> u64 {
    mix(sums.fold(0, mix), length as u64)
}

/// The sum of one block.
pub fn of_block(bytes: &[u8]) -> u64 {
    let mut sums: [u64; LANES] = std::array::from_fn(|lane| lane as u64);
    let (lines, rest) = bytes.as_chunks::<{ 8 * LANES }>();
    for line in lines {
        add(&mut sums, line);
    }
    let mut last = [0; 8 * LANES];
    last[..rest.len()].copy_from_slice(rest);
    add(&mut sums, &last);
    sums.into_iter().fold(bytes.len() as u64, mix)
}

fn add(sums: &mut [u64; LANES], line: &[u8; 8 * LANES]) {
    for (sum, word) in sums.iter_mut().zip(line.as_chunks::<8>().0) {
        *sum = mix(*sum, u64::from_le_bytes(*word));
    }
}

/// A multiplication carries upwards alone; the rotation brings the upper bits down.
#[inline(always)]
fn mix(sum: u64, word: u64) -> u64 {
    (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_every_cut_shows() {
        let team = Team::new(2).unwrap();
        let mut bytes: Vec<u8> = (0..BLOCK + 133).map(|index| (index * 7 % 251) as u8).collect();
        let sum = checksum(&team, &bytes);
        assert_eq!(sum, of_blocks(bytes.chunks(BLOCK).map(of_block), bytes.len()));
        for place in (0..bytes.len()).step_by(97).chain(BLOCK - 9..BLOCK + 133) {
            for bit in 0..8 {
                bytes[place] ^= 1 << bit;
                assert_ne!(checksum(&team, &bytes), sum, "bit {bit} of byte {place}");
                bytes[place] ^= 1 << bit;
            }
        }
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 132] {
            assert_ne!(checksum(&team, &bytes[..length]), sum, "{length} bytes");
        }
    }

    #[test]
    fn zeros_of_every_length_differ() {
        let sums: std::collections::HashSet<u64> = (0..300).map(|length| of_block(&vec![0; length])).collect();
        assert_eq!(sums.len(), 300);
    }

    #[test]
    fn two_words_do_not_cancel_out() {
        let mut bytes = [0; 256];
        let sum = of_block(&bytes);
        (bytes[7], bytes[8 * LANES + 7]) = (0x80, 0x80);
        assert_ne!(of_block(&bytes), sum);
    }
}

//! Random numbers that are the same every time.

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// A generator whose numbers follow from all of `seeds`.
    pub fn new(seeds: &[u64]) -> Self {
        seeds.iter().fold(Self(0), |random, seed| Self(random.clone().next() ^ seed))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to 1, without 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_decide() {
        let numbers = |seeds: &[u64]| {
            let mut random = Random::new(seeds);
            [random.unit(), random.unit(), random.unit()]
        };
        assert_eq!(numbers(&[1, 2]), numbers(&[1, 2]));
        assert_ne!(numbers(&[1, 2]), numbers(&[2, 1]));
        assert_ne!(numbers(&[0, 0]), numbers(&[0, 1]));
    }

    #[test]
    fn numbers_fill_the_interval_evenly() {
        let mut random = Random::new(&[7]);
        let mut counts = [0; 10];
        (0..10_000).for_each(|_| counts[(random.unit() * 10.0) as usize] += 1);
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
    }
}

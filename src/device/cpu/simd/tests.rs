//! What the arithmetic's own tests do not show.

use super::{Isa, Kernel, Simd};

struct Transpose;

impl Kernel for Transpose {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (from_stride, to_stride) = (S::LANES + 3, S::LANES + 1);
        let from: Vec<f32> = (0..(S::LANES - 1) * from_stride + S::LANES).map(|index| index as f32).collect();
        let mut to = vec![-1.0; (S::LANES - 1) * to_stride + S::LANES];
        simd.transpose(&from, from_stride, &mut to, to_stride);
        for (index, x) in to.iter().enumerate() {
            let (row, column) = (index / to_stride, index % to_stride);
            let expected = if column < S::LANES { from[column * from_stride + row] } else { -1.0 };
            assert_eq!(*x, expected);
        }
    }
}

#[test]
fn every_set_transposes() {
    Isa::all().into_iter().for_each(|isa| isa.run(Transpose));
}

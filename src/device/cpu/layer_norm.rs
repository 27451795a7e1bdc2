//! Layer normalisation (Ba, Kiros and Hinton, arXiv 1607.06450) of one row.

use super::reference::EPSILON;
use super::simd::{Kernel, Simd};

/// Normalises `input` into `output`; all slices are of one length.
pub struct LayerNorm<'a> {
    pub input: &'a [f32],
    pub weight: &'a [f32],
    pub bias: &'a [f32],
    pub output: &'a mut [f32],
}

impl Kernel for LayerNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = self.input.len();
        let (mut sum, mut first) = (simd.splat(0.0), 0);
        while first < width {
            sum = simd.add(sum, simd.load_some(&self.input[first..], 0.0));
            first += S::LANES;
        }
        let mean = simd.sum(sum) / width as f32;
        let (mut squares, mut first) = (simd.splat(0.0), 0);
        while first < width {
            let centred = simd.sub(simd.load_some(&self.input[first..], mean), simd.splat(mean));
            squares = simd.mul_add(centred, centred, squares);
            first += S::LANES;
        }
        let scale = 1.0 / (simd.sum(squares) / width as f32 + EPSILON).sqrt();
        let mut first = 0;
        while first < width {
            let centred = simd.sub(simd.load_some(&self.input[first..], mean), simd.splat(mean));
            let weight = simd.mul(simd.load_some(&self.weight[first..], 0.0), simd.splat(scale));
            let y = simd.mul_add(centred, weight, simd.load_some(&self.bias[first..], 0.0));
            simd.store_some(y, &mut self.output[first..]);
            first += S::LANES;
        }
    }
}

//! What attention reads: keys and values of one head, packed when they are known.

use super::encode::{Encode, MIDDLE, MOST, signed, twos_complement};
use super::simd::{Bf16, Element, Int8, Isa, Kernel, Line, Simd, bytes_mut, halves_mut};

/// Keys and values of one head.
///
/// Softmax does not change when all keys move by the same vector, and a mean taken out of the values can be added to the
/// result, so both are stored without their means: what is left is smaller, and so is its rounding.
pub struct Head<E> {
    /// Keys as the columns of a product's right matrix, head width elements each.
    pub(super) keys: Vec<Line>,
    /// What an integer of each key is worth; padded to whole panels.
    pub(super) key_scales: Vec<f32>,
    /// What integer sums over each key begin with; padded to whole panels.
    pub(super) key_offsets: Vec<u32>,
    /// Values as the columns of a product's right matrix, one for each of the head's columns, `count` elements each.
    pub(super) values: Vec<Line>,
    /// What an integer of each column of the values is worth; padded to a whole panel.
    pub(super) value_scales: Vec<f32>,
    /// Mean of each column of the values; padded to a whole panel.
    pub(super) value_means: Vec<f32>,
    /// Keys.
    pub(super) count: usize,
    /// Columns.
    pub(super) width: usize,
    isa: Isa,
    limit: usize,
    means: Vec<f32>,
    row: Vec<f32>,
    encoded: Vec<u32>,
    element: std::marker::PhantomData<E>,
}

/// Elements that attention computes with.
pub trait Attend: Element {
    /// What the probability 1 is stored as.
    const ONE: f32;
    /// Encodes a query; gives what a product with an encoded key must be multiplied by.
    fn encode_query<S: Simd>(simd: S, query: &[f32], groups: &mut [u32]) -> f32;
    /// Encodes a key; gives what an integer is worth and what sums of products with it begin with.
    fn encode_key<S: Simd>(simd: S, key: &[f32], groups: &mut [u32]) -> (f32, u32);
    /// What a column is multiplied by before [`Attend::pack`], given its greatest magnitude, and what one step is worth.
    fn value_scale(most: f32) -> (f32, f32);
    /// A group of a column's elements, of GROUP consecutive rows; the rest is not looked at.
    fn pack<S: Simd>(simd: S, rows: [S::F; 4]) -> S::I;
    /// Writes LANES probabilities times ONE at element `first` of a row of groups.
    fn store<S: Simd>(simd: S, probabilities: S::F, groups: &mut [u32], first: usize);
}

impl Attend for Int8 {
    const ONE: f32 = 255.0;

    #[inline(always)]
    fn encode_query<S: Simd>(simd: S, query: &[f32], groups: &mut [u32]) -> f32 {
        signed(simd, query, groups)
    }

    #[inline(always)]
    fn encode_key<S: Simd>(simd: S, key: &[f32], groups: &mut [u32]) -> (f32, u32) {
        let scale = signed(simd, key, groups);
        (scale, (-(MIDDLE as i32) * twos_complement(groups, key.len())) as u32)
    }

    fn value_scale(most: f32) -> (f32, f32) {
        let scale = (most / MOST).max(f32::MIN_POSITIVE);
        (1.0 / scale, scale)
    }

    #[inline(always)]
    fn pack<S: Simd>(simd: S, rows: [S::F; 4]) -> S::I {
        simd.pack_bytes([simd.round(rows[0]), simd.round(rows[1]), simd.round(rows[2]), simd.round(rows[3])])
    }

    #[inline(always)]
    fn store<S: Simd>(simd: S, probabilities: S::F, groups: &mut [u32], first: usize) {
        simd.store_u8(simd.round(probabilities), &mut bytes_mut(groups)[first..]);
    }
}

impl Attend for Bf16 {
    const ONE: f32 = 1.0;

    #[inline(always)]
    fn encode_query<S: Simd>(simd: S, query: &[f32], groups: &mut [u32]) -> f32 {
        Self::encode_row(simd, query, groups, &mut []);
        1.0
    }

    #[inline(always)]
    fn encode_key<S: Simd>(simd: S, key: &[f32], groups: &mut [u32]) -> (f32, u32) {
        Self::encode_row(simd, key, groups, &mut []);
        (1.0, 0)
    }

    fn value_scale(_: f32) -> (f32, f32) {
        (1.0, 1.0)
    }

    #[inline(always)]
    fn pack<S: Simd>(simd: S, rows: [S::F; 4]) -> S::I {
        simd.pack_bf16([rows[0], rows[1]])
    }

    #[inline(always)]
    fn store<S: Simd>(simd: S, probabilities: S::F, groups: &mut [u32], first: usize) {
        simd.store_bf16(probabilities, &mut halves_mut(groups)[first..]);
    }
}

impl<E: Attend> Head<E> {
    /// Room for `limit` keys of `width` columns, which takes memory when it is first used: most lanes never are.
    pub fn new(isa: Isa, limit: usize, width: usize) -> Self {
        let panel = isa.panel_columns();
        let padded = limit.next_multiple_of(panel);
        Self {
            isa,
            limit,
            keys: Vec::new(),
            key_scales: vec![0.0; padded],
            key_offsets: vec![0; padded],
            values: Vec::new(),
            value_scales: vec![0.0; width.next_multiple_of(panel)],
            value_means: vec![0.0; width.next_multiple_of(panel)],
            count: 0,
            width,
            means: vec![0.0; width],
            row: vec![0.0; width],
            encoded: vec![0; width.div_ceil(E::GROUP).next_multiple_of(Line::GROUPS)],
            element: std::marker::PhantomData,
        }
    }

    /// Takes `count` keys and values: rows of matrices that are `stride` wide, from the head's first column on.
    pub fn fill(&mut self, keys: &[f32], values: &[f32], stride: usize, count: usize) {
        assert!(count <= self.limit);
        if self.keys.is_empty() {
            let (panel, lines) =
                (self.isa.panel_columns(), |groups: usize| vec![Line::default(); groups / Line::GROUPS]);
            self.keys = lines(self.width.div_ceil(E::GROUP) * self.limit.next_multiple_of(panel));
            self.values = lines(self.limit.div_ceil(E::GROUP) * self.width.next_multiple_of(panel));
        }
        self.count = count;
        self.isa.run(Fill { head: self, keys, values, stride });
    }
}

struct Fill<'a, E> {
    head: &'a mut Head<E>,
    keys: &'a [f32],
    values: &'a [f32],
    stride: usize,
}

impl<E: Attend> Kernel for Fill<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { head, keys, values, stride } = self;
        fill_keys(simd, head, keys, stride);
        fill_values(simd, head, values, stride);
    }
}

#[inline(always)]
fn fill_keys<S: Simd, E: Attend>(simd: S, head: &mut Head<E>, keys: &[f32], stride: usize) {
    let (width, count) = (head.width, head.count);
    let mut first = 0;
    while first < width {
        let mut sum = simd.splat(0.0);
        for key in 0..count {
            sum = simd.add(sum, simd.load_some(&keys[key * stride + first..key * stride + width], 0.0));
        }
        simd.store_some(simd.mul(sum, simd.splat(1.0 / count as f32)), &mut head.means[first..]);
        first += S::LANES;
    }
    let (groups, panel_columns) = (width.div_ceil(E::GROUP), S::LANES * S::VECTORS);
    for key in 0..count {
        let row = &keys[key * stride..][..width];
        let mut first = 0;
        while first < width {
            let centred = simd.sub(simd.load_some(&row[first..], 0.0), simd.load_some(&head.means[first..], 0.0));
            simd.store_some(centred, &mut head.row[first..]);
            first += S::LANES;
        }
        let (scale, offset) = E::encode_key(simd, &head.row, &mut head.encoded);
        (head.key_scales[key], head.key_offsets[key]) = (scale, offset);
        let first = key / panel_columns * groups * panel_columns + key % panel_columns;
        for group in 0..groups {
            Line::groups_mut(&mut head.keys, first + group * panel_columns)[0] = head.encoded[group];
        }
    }
}

#[inline(always)]
fn fill_values<S: Simd, E: Attend>(simd: S, head: &mut Head<E>, values: &[f32], stride: usize) {
    let (width, count) = (head.width, head.count);
    let panel_columns = S::LANES * S::VECTORS;
    let groups = count.div_ceil(E::GROUP);
    let row = |key: usize, first: usize| &values[key * stride + first..key * stride + width];
    let mut first = 0;
    while first < width {
        let begin = simd.load_some(row(0, first), 0.0);
        let (mut sum, mut least, mut most) = (simd.splat(0.0), begin, begin);
        for key in 0..count {
            let x = simd.load_some(row(key, first), 0.0);
            (sum, least, most) = (simd.add(sum, x), simd.min(least, x), simd.max(most, x));
        }
        let mean = simd.mul(sum, simd.splat(1.0 / count as f32));
        let most = simd.max(simd.sub(most, mean), simd.sub(mean, least));
        let (mut magnitudes, mut factors) = ([0.0; Line::GROUPS], [0.0; Line::GROUPS]);
        simd.store(most, &mut magnitudes);
        simd.store(mean, &mut head.value_means[first..]);
        for lane in 0..S::LANES {
            let (factor, scale) = E::value_scale(magnitudes[lane]);
            (factors[lane], head.value_scales[first + lane]) = (factor, scale / E::ONE);
        }
        let factor = simd.load(&factors);
        let panel = first / panel_columns * groups * panel_columns + first % panel_columns;
        for group in 0..groups {
            let mut rows = [simd.splat(0.0); 4];
            for (index, rows) in rows.iter_mut().enumerate().take(E::GROUP) {
                let key = group * E::GROUP + index;
                if key < count {
                    *rows = simd.mul(simd.sub(simd.load_some(row(key, first), 0.0), mean), factor);
                }
            }
            simd.store_i(E::pack(simd, rows), Line::groups_mut(&mut head.values, panel + group * panel_columns));
        }
        first += S::LANES;
    }
}

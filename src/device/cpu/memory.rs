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
    /// Writes 4·LANES probabilities times ONE from element `first` of a row of groups on.
    fn store<S: Simd>(simd: S, probabilities: [S::F; 4], groups: &mut [u32], first: usize);
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
    fn store<S: Simd>(simd: S, p: [S::F; 4], groups: &mut [u32], first: usize) {
        let integers = [simd.round(p[0]), simd.round(p[1]), simd.round(p[2]), simd.round(p[3])];
        simd.store_four_u8(integers, &mut bytes_mut(groups)[first..]);
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
    fn store<S: Simd>(simd: S, probabilities: [S::F; 4], groups: &mut [u32], first: usize) {
        let halves = &mut halves_mut(groups)[first..];
        for (vector, x) in probabilities.into_iter().enumerate() {
            simd.store_bf16(x, &mut halves[vector * S::LANES..]);
        }
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
            encoded: vec![0; width.div_ceil(E::GROUP).next_multiple_of(Line::GROUPS) * PACKED_KEYS],
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

/// Keys that are packed at a time.
const PACKED_KEYS: usize = 16;

#[inline(always)]
fn fill_keys<S: Simd, E: Attend>(simd: S, head: &mut Head<E>, keys: &[f32], stride: usize) {
    let (width, count) = (head.width, head.count);
    head.means.fill(0.0);
    for row in keys.chunks(stride).take(count) {
        add(simd, &row[..width], &mut head.means);
    }
    head.means.iter_mut().for_each(|mean| *mean /= count as f32);
    let (groups, panel_columns) = (width.div_ceil(E::GROUP), S::LANES * S::VECTORS);
    let encoded_stride = groups.next_multiple_of(Line::GROUPS);
    for (index, rows) in keys.chunks(PACKED_KEYS * stride).take(count.div_ceil(PACKED_KEYS)).enumerate() {
        let first = index * PACKED_KEYS;
        let here = PACKED_KEYS.min(count - first);
        for (place, row) in rows.chunks(stride).take(here).enumerate() {
            subtract(simd, &row[..width], &head.means, &mut head.row);
            let encoded = &mut head.encoded[place * encoded_stride..][..encoded_stride];
            (head.key_scales[first + place], head.key_offsets[first + place]) = E::encode_key(simd, &head.row, encoded);
        }
        let begin = first / panel_columns * groups * panel_columns + first % panel_columns;
        for group in 0..groups {
            let line = &mut Line::groups_mut(&mut head.keys, begin + group * panel_columns)[..here];
            let column = head.encoded[group..].iter().step_by(encoded_stride);
            line.iter_mut().zip(column).for_each(|(key, encoded)| *key = *encoded);
        }
    }
}

/// y += x
#[inline(always)]
fn add<S: Simd>(simd: S, x: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks(S::LANES).zip(y.chunks_mut(S::LANES)) {
        simd.store_some(simd.add(simd.load_some(y, 0.0), simd.load_some(x, 0.0)), y);
    }
}

/// z = x − y
#[inline(always)]
fn subtract<S: Simd>(simd: S, x: &[f32], y: &[f32], z: &mut [f32]) {
    for ((x, y), z) in x.chunks(S::LANES).zip(y.chunks(S::LANES)).zip(z.chunks_mut(S::LANES)) {
        simd.store_some(simd.sub(simd.load_some(x, 0.0), simd.load_some(y, 0.0)), z);
    }
}

#[inline(always)]
fn fill_values<S: Simd, E: Attend>(simd: S, head: &mut Head<E>, values: &[f32], stride: usize) {
    let (width, count) = (head.width, head.count);
    let panel_columns = S::LANES * S::VECTORS;
    let groups = count.div_ceil(E::GROUP);
    let mut first = 0;
    while first < width {
        let (mut sum, mut least, mut most) =
            (simd.splat(0.0), simd.splat(f32::INFINITY), simd.splat(f32::NEG_INFINITY));
        for row in values.chunks(stride).take(count) {
            let x = simd.load_some(&row[first..width], 0.0);
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
        for (group, values) in values.chunks(E::GROUP * stride).take(groups).enumerate() {
            let here = E::GROUP.min(count - group * E::GROUP);
            let mut rows = [simd.splat(0.0); 4];
            for (rows, row) in rows.iter_mut().zip(values.chunks(stride)).take(here) {
                *rows = simd.mul(simd.sub(simd.load_some(&row[first..width], 0.0), mean), factor);
            }
            simd.store_i(E::pack(simd, rows), Line::groups_mut(&mut head.values, panel + group * panel_columns));
        }
        first += S::LANES;
    }
}

//! The buffers of a session, and how several threads write disjoint parts of them.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;

use super::zeros::Zeros;
use crate::device::program::Declaration;
use crate::device::team::Team;
use crate::device::{Extent, Rows, Value};

/// One buffer for each value of a program.
pub struct Values {
    buffers: Vec<Buffer>,
    places: Vec<Place>,
}

struct Buffer {
    rows: Rows,
    columns: usize,
    data: Zeros,
    /// The data while a [`View`] is about; what is written through it must not go through `data` meanwhile.
    pointer: Pointer,
}

#[derive(Clone, Copy)]
struct Pointer(*mut f32);

// SAFETY: the pointer is used by a `View` alone, whose readers and targets keep apart what threads touch.
unsafe impl Send for Pointer {}
// SAFETY: as above.
unsafe impl Sync for Pointer {}

/// Where the row of a step belongs.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Lane of that extent.
    pub lane: usize,
    /// Row within the extent.
    pub row: usize,
    /// Lane of the memories that it recalls.
    pub memory_lane: usize,
    /// Rows that the lane's grown values held before.
    pub past: usize,
}

impl Values {
    /// Zeroed buffers for so many lanes and threads. The system gives pages only to what is written.
    pub fn new(declarations: &[Declaration], lanes: usize, threads: usize) -> Self {
        let buffer = |declaration: &Declaration| {
            let kept = if declaration.rows.is_kept() { lanes } else { 1 };
            let limit = (declaration.rows.limit() * kept).max(threads * LOCAL_ROWS);
            let data = Zeros::new(limit * declaration.columns);
            let pointer = Pointer(std::ptr::null_mut());
            Buffer { rows: declaration.rows, columns: declaration.columns, data, pointer }
        };
        Self { buffers: declarations.iter().map(buffer).collect(), places: Vec::new() }
    }

    /// Says which rows the next work is about.
    pub fn begin(&mut self, extents: &[Extent]) {
        self.places.clear();
        for &Extent { lane, memory_lane, rows, past } in extents {
            let place = |row| Place { lane, row, memory_lane, past };
            self.places.extend((0..rows).map(place));
        }
    }

    /// The whole buffer of a value.
    pub fn whole_mut(&mut self, value: Value) -> &mut [f32] {
        &mut self.buffers[value.0].data
    }

    /// Copies rows of all values that are kept from one lane to another. Panics if a lane has no such rows.
    pub fn copy_kept(&mut self, from: usize, to: usize, rows: Range<usize>) {
        for Buffer { rows: kept, columns, data, .. } in self.buffers.iter_mut().filter(|buffer| buffer.rows.is_kept()) {
            assert!(rows.end <= kept.limit(), "{rows:?} of {kept:?}");
            let place = |lane: usize, row: usize| (lane * kept.limit() + row) * *columns;
            data.copy_within(place(from, rows.start)..place(from, rows.end), place(to, rows.start));
        }
    }

    /// The whole buffers of a value to read and of another to write. Panics if they are one.
    pub fn pair(&mut self, input: Value, output: Value) -> (&[f32], &mut [f32]) {
        let buffers = self.buffers.get_disjoint_mut([input.0, output.0]);
        let [input, output] = buffers.expect("an operation reads and writes different values");
        (&input.data, &mut output.data)
    }

    /// Columns of a value.
    pub fn columns(&self, value: Value) -> usize {
        self.buffers[value.0].columns
    }

    /// Lets `work` compute `block` rows at a time of all `written` values, of the `rows` that there are.
    ///
    /// Rows of the values in `locals` last only for a block and stand in a place of the thread's own, where its caches keep
    /// them. Panics if a value stands twice in `written`, or if there are locals and a block is longer than [`LOCAL_ROWS`].
    pub fn by_rows(
        &mut self,
        team: &Team,
        (written, locals): (&[Value], &[Value]),
        rows: usize,
        block: usize,
        work: &(dyn Fn(&mut Block<'_>, usize) + Sync),
    ) {
        assert!(locals.is_empty() || block <= LOCAL_ROWS);
        let view = self.view(written, locals);
        let block = block.max(1);
        team.run(rows.div_ceil(block), &|task, worker| {
            let rows = task * block..rows.min((task + 1) * block);
            let view = View { worker, first: rows.start, ..view };
            work(&mut Block { view, rows }, worker);
        });
    }

    /// Lets `work` compute cells of `block` rows and the given number of columns of each value of `parts`.
    ///
    /// Panics if a value stands twice in `parts`.
    pub fn by_cells(
        &mut self,
        team: &Team,
        parts: &[(Value, usize)],
        rows: usize,
        block: usize,
        work: &(dyn Fn(Cell<'_>, usize) + Sync),
    ) {
        let mut written = [Value(usize::MAX); MOST_PARTS];
        parts.iter().zip(&mut written).for_each(|(part, written)| *written = part.0);
        let view = self.view(&written[..parts.len()], &[]);
        let (block, columns) = (block.max(1), |value: Value| view.buffers[value.0].columns);
        let row_blocks = rows.div_ceil(block);
        let column_blocks = |part: &(Value, usize)| columns(part.0).div_ceil(part.1);
        let tasks: usize = parts.iter().map(|part| column_blocks(part) * row_blocks).sum();
        team.run(tasks, &|task, worker| {
            let mut task = task;
            for (index, part) in parts.iter().enumerate() {
                let own = column_blocks(part) * row_blocks;
                if task >= own {
                    task -= own;
                    continue;
                }
                let (column, row) = (task / row_blocks * part.1, task % row_blocks * block);
                let target = Target {
                    view,
                    value: part.0,
                    rows: row..rows.min(row + block),
                    columns: column..columns(part.0).min(column + part.1),
                    exclusive: PhantomData,
                };
                return work(Cell { part: index, reader: Reader { view }, target }, worker);
            }
        });
    }

    fn view<'a>(&'a mut self, written: &'a [Value], locals: &'a [Value]) -> View<'a> {
        for (index, value) in written.iter().enumerate() {
            assert!(!written[..index].contains(value), "a value cannot be written twice at a time");
        }
        for buffer in &mut self.buffers {
            buffer.pointer = Pointer(buffer.data.as_mut_ptr());
        }
        View { buffers: &self.buffers, places: &self.places, written, locals, worker: 0, first: 0 }
    }
}

/// Where a row of a value begins in its buffer.
fn start(buffer: &Buffer, places: &[Place], row: usize) -> usize {
    let row = match buffer.rows {
        Rows::Fixed(_) | Rows::Step(_) | Rows::Twice(_) | Rows::Each(_) => row,
        Rows::Grown(limit) => places[row].lane * limit + places[row].past + places[row].row,
    };
    row * buffer.columns
}

/// Most rows of a block that has local values: what a thread has of them fits its second-level cache, and the weights that
/// pass by are used often enough.
pub const LOCAL_ROWS: usize = 48;
/// Most values that [`Values::by_cells`] writes.
pub const MOST_PARTS: usize = 8;

/// Where a step finds what it reads.
pub trait Inputs {
    /// A row of the step.
    fn row(&self, value: Value, row: usize) -> &[f32];
    /// The whole buffer of a value.
    fn whole(&self, value: Value) -> &[f32];
}

impl Inputs for Values {
    fn row(&self, value: Value, row: usize) -> &[f32] {
        let buffer = &self.buffers[value.0];
        &buffer.data[start(buffer, &self.places, row)..][..buffer.columns]
    }

    fn whole(&self, value: Value) -> &[f32] {
        &self.buffers[value.0].data
    }
}

impl Inputs for Block<'_> {
    /// Panics if a value that is being written has the row outside this block.
    fn row(&self, value: Value, row: usize) -> &[f32] {
        assert!(self.rows.contains(&row) || !self.view.written.contains(&value));
        // SAFETY: a written row of this block is written through this block alone, which is borrowed meanwhile.
        unsafe { self.view.read(value, self.view.row(value, row)) }
    }

    /// Panics if the value is being written.
    fn whole(&self, value: Value) -> &[f32] {
        self.reader().whole(value)
    }
}

/// All buffers, borrowed mutably by the one who made the view: what is in `written` is changed through [`Target`]s alone.
#[derive(Clone, Copy)]
struct View<'a> {
    buffers: &'a [Buffer],
    places: &'a [Place],
    written: &'a [Value],
    /// Those of `written` whose rows belong to a thread.
    locals: &'a [Value],
    /// The thread.
    worker: usize,
    /// First row of its block.
    first: usize,
}

impl<'a> View<'a> {
    fn local(&self, value: Value) -> bool {
        self.locals.contains(&value)
    }

    /// Where a row of a value begins in its buffer.
    fn start(&self, value: Value, row: usize) -> usize {
        let buffer = &self.buffers[value.0];
        if self.local(value) {
            return (self.worker * LOCAL_ROWS + row - self.first) * buffer.columns;
        }
        start(buffer, self.places, row)
    }

    /// Elements of a value's buffer.
    ///
    /// # Safety
    /// Nobody writes them while the result lives.
    unsafe fn read(&self, value: Value, range: Range<usize>) -> &'a [f32] {
        let buffer = &self.buffers[value.0];
        assert!(range.start <= range.end && range.end <= buffer.data.len());
        // SAFETY: in bounds by the assertion; `Values` is borrowed for 'a, so the buffer stays; no writer, says the caller.
        unsafe { std::slice::from_raw_parts(buffer.pointer.0.add(range.start), range.len()) }
    }

    fn row(&self, value: Value, row: usize) -> Range<usize> {
        let start = self.start(value, row);
        start..start + self.buffers[value.0].columns
    }
}

/// Values that nobody writes at the moment.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    view: View<'a>,
}

impl<'a> Reader<'a> {
    /// Row `row` of the step. Panics if the value is being written.
    pub fn row(&self, value: Value, row: usize) -> &'a [f32] {
        assert!(!self.view.written.contains(&value));
        // SAFETY: only written values are written.
        unsafe { self.view.read(value, self.view.row(value, row)) }
    }

    /// The whole buffer. Panics if the value is being written.
    pub fn whole(&self, value: Value) -> &'a [f32] {
        assert!(!self.view.written.contains(&value));
        // SAFETY: only written values are written.
        unsafe { self.view.read(value, 0..self.view.buffers[value.0].data.len()) }
    }

    /// The rows of the step.
    pub fn places(&self) -> &'a [Place] {
        self.view.places
    }
}

/// Some rows of all values that are being written.
pub struct Block<'a> {
    view: View<'a>,
    /// Rows of the step.
    pub rows: Range<usize>,
}

impl<'a> Block<'a> {
    /// The values that are not being written.
    pub fn reader(&self) -> Reader<'a> {
        Reader { view: self.view }
    }

    /// All columns of the block's rows of a written value.
    pub fn target(&mut self, value: Value) -> Target<'_> {
        assert!(self.view.written.contains(&value));
        let columns = 0..self.view.buffers[value.0].columns;
        Target { view: self.view, value, rows: self.rows.clone(), columns, exclusive: PhantomData }
    }

    /// A row to read and the same row of another, written value.
    pub fn rows(&mut self, input: Value, output: Value, row: usize) -> (&[f32], &mut [f32]) {
        assert!(input != output && self.rows.contains(&row) && self.view.written.contains(&output));
        // SAFETY: as in `row`; the result borrows the block mutably, and output is another buffer.
        let read = unsafe { self.view.read(input, self.view.row(input, row)) };
        let columns = 0..self.view.buffers[output.0].columns;
        let rows = self.rows.clone();
        let mut target = Target { view: self.view, value: output, rows, columns, exclusive: PhantomData };
        let row: *mut [f32] = target.row(row);
        // SAFETY: the row is in bounds, this block alone may write it, and the results borrow the block mutably.
        (read, unsafe { &mut *row })
    }
}

/// A part of one written value.
pub struct Cell<'a> {
    /// Which of the parts.
    pub part: usize,
    /// The values that are not being written.
    pub reader: Reader<'a>,
    /// Rows and columns to compute.
    pub target: Target<'a>,
}

/// Rows and columns of a value that one thread writes.
pub struct Target<'a> {
    view: View<'a>,
    value: Value,
    /// Rows of the step.
    pub rows: Range<usize>,
    /// Columns of the value.
    pub columns: Range<usize>,
    exclusive: PhantomData<&'a mut f32>,
}

impl Target<'_> {
    /// This target's columns of a row of the step.
    #[inline]
    pub fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(self.rows.contains(&row));
        let start = self.view.start(self.value, row) + self.columns.start;
        let buffer = &self.view.buffers[self.value.0];
        assert!(start + self.columns.len() <= buffer.data.len());
        // SAFETY: in bounds by the assertion. The session's buffers are borrowed mutably by `by_rows` or `by_cells`, which
        // made this target for rows and columns that no other target of the same work covers (places map different rows of
        // a step to different rows of a buffer); nobody reads a written value but through its own block.
        unsafe { std::slice::from_raw_parts_mut(buffer.pointer.0.add(start), self.columns.len()) }
    }
}

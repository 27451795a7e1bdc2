//! When who did what in a run, and a drawing of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::super::Kernel;
use super::super::design::{Direction, Place};
use super::super::target::Kind;

/// What a run recorded, in cycles from its start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// In no order.
    pub intervals: Vec<Interval>,
    /// Of the array's clock.
    pub cycles_per_second: f64,
    /// What begins when.
    pub captions: Vec<(u64, String)>,
}

/// Somebody's time on one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Whose.
    pub row: Row,
    /// From.
    pub begin_cycles: u64,
    /// To.
    pub end_cycles: u64,
    /// What on.
    pub activity: Activity,
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// The command processor.
    Processor,
    /// A channel of a tile.
    Channel(Place, Direction, usize),
    /// A core.
    Core(Place),
}

/// What takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// A kernel runs.
    Call(Kernel),
    /// A descriptor's words move, or are in the way of being moved, from the first to the last.
    Transfer,
    /// A lock or a token is waited for.
    Wait,
}

const WIDTH: f64 = 1200.0;
const LEFT: f64 = 130.0;
const ROW: f64 = 18.0;
const TOP: f64 = 28.0;
/// A gap of fewer pixels cannot be seen.
const GAP: f64 = 0.3;
/// Captions of neighbours stand below each other.
const CAPTION_LINES: usize = 3;

impl Timeline {
    /// Appends another run, which begins when all of this is over, under a caption.
    pub fn append(&mut self, other: &Self, caption: &str) {
        let start = self.end_cycles();
        self.cycles_per_second = other.cycles_per_second;
        self.captions.push((start, caption.to_owned()));
        self.intervals.extend(other.intervals.iter().map(|interval| Interval {
            begin_cycles: start + interval.begin_cycles,
            end_cycles: start + interval.end_cycles,
            ..*interval
        }));
    }

    fn end_cycles(&self) -> u64 {
        self.intervals.iter().map(|interval| interval.end_cycles).max().unwrap_or(0)
    }

    /// A self-contained SVG of a column: the channels of its shim and memory tile, and its cores.
    pub fn svg(&self, column: usize) -> String {
        let mut rows: BTreeMap<Row, Vec<&Interval>> = BTreeMap::new();
        for interval in self.intervals.iter().filter(|interval| interval.row.is_shown(column)) {
            rows.entry(interval.row).or_default().push(interval);
        }
        let end = self.end_cycles().max(1);
        let scale = (WIDTH - LEFT - 10.0) / end as f64;
        let legend = self.legend(&rows);
        let bottom = TOP + rows.len() as f64 * ROW;
        let captions = if self.captions.is_empty() { 0.0 } else { CAPTION_LINES as f64 * 12.0 + 4.0 };
        let height = bottom + captions + 30.0 + (legend.len().div_ceil(6)) as f64 * ROW;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        self.axis(&mut svg, end, scale, bottom);
        for (index, (row, intervals)) in rows.iter_mut().enumerate() {
            let y = TOP + index as f64 * ROW;
            line(&mut svg, format_args!("<text x=\"4\" y=\"{:.0}\">{}</text>", y + 13.0, row.name()));
            intervals.sort_by_key(|interval| (interval.begin_cycles, interval.end_cycles));
            bars(&mut svg, intervals, scale, y);
        }
        for (index, (begin, caption)) in self.captions.iter().enumerate() {
            let (x, y) = (LEFT + *begin as f64 * scale, bottom + 11.0 + (index % CAPTION_LINES) as f64 * 12.0);
            line(&mut svg, format_args!("<path d=\"M{x:.1} {TOP}V{y:.0}\" stroke=\"#444\" stroke-dasharray=\"2 2\"/>"));
            line(&mut svg, format_args!("<text x=\"{:.1}\" y=\"{y:.0}\">{caption}</text>", x + 2.0));
        }
        let bottom = bottom + captions;
        for (index, name) in legend.iter().enumerate() {
            let (x, y) = (4.0 + (index % 6) as f64 * 195.0, bottom + 18.0 + (index / 6) as f64 * ROW);
            let colour = colour(name);
            line(&mut svg, format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>"));
            line(&mut svg, format_args!("<text x=\"{}\" y=\"{}\">{name}</text>", x + 16.0, y + 10.0));
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn legend(&self, rows: &BTreeMap<Row, Vec<&Interval>>) -> Vec<&'static str> {
        let names: BTreeSet<&str> = rows.values().flatten().map(|interval| interval.activity.name()).collect();
        names.into_iter().collect()
    }

    fn axis(&self, svg: &mut String, end: u64, scale: f64, bottom: f64) {
        let cycles_per_microsecond = self.cycles_per_second / 1e6;
        let microseconds = end as f64 / cycles_per_microsecond;
        let magnitude = 10_f64.powf((microseconds / 10.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
        let step = step.into_iter().find(|step| microseconds / step <= 12.0).unwrap_or(microseconds);
        for tick in 0..=(microseconds / step) as usize {
            let time = tick as f64 * step;
            let x = LEFT + time * cycles_per_microsecond * scale;
            line(svg, format_args!("<path d=\"M{x:.1} {TOP}V{bottom:.0}\" stroke=\"#ddd\"/>"));
            let digits = if step < 1.0 { 2 } else { 0 };
            line(svg, format_args!("<text x=\"{x:.1}\" y=\"18\" text-anchor=\"middle\">{time:.digits$} µs</text>"));
        }
    }
}

/// Draws a row, what cannot be told apart as one.
fn bars(svg: &mut String, intervals: &[&Interval], scale: f64, y: f64) {
    let mut open: Option<(f64, f64, &'static str)> = None;
    let mut draw = |(begin, end, name): (f64, f64, &str)| {
        let (width, colour) = ((end - begin).max(0.2), colour(name));
        let bar = format_args!(
            "<rect x=\"{begin:.1}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"12\" fill=\"{colour}\"/>",
            y + 3.0
        );
        line(svg, bar);
    };
    for interval in intervals {
        let (begin, end) = (LEFT + interval.begin_cycles as f64 * scale, LEFT + interval.end_cycles as f64 * scale);
        let name = interval.activity.name();
        open = match open {
            Some((first, last, same)) if same == name && begin - last < GAP => Some((first, last.max(end), name)),
            other => {
                other.into_iter().for_each(&mut draw);
                Some((begin, end, name))
            }
        };
    }
    open.into_iter().for_each(draw);
}

fn line(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "{text}");
}

/// The same for the same name in every drawing.
fn colour(name: &str) -> String {
    match name {
        "transfer" => "#9aa5b1".to_owned(),
        "wait" => "#f0e6d8".to_owned(),
        _ => {
            let hash =
                name.bytes().fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
            rgb(f64::from(hash % 360), 0.65, 0.40 + f64::from(hash / 360 % 3) * 0.08)
        }
    }
}

/// A colour of this hue in degrees, saturation and lightness, as all programs read it.
fn rgb(hue: f64, saturation: f64, lightness: f64) -> String {
    let chroma = saturation * lightness.min(1.0 - lightness);
    let channel = |offset: f64| {
        let k = (offset + hue / 30.0) % 12.0;
        (255.0 * (lightness - chroma * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0))).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", channel(0.0), channel(8.0), channel(4.0))
}

impl Row {
    fn is_shown(self, column: usize) -> bool {
        match self {
            Row::Processor => true,
            Row::Channel(place, ..) => place.column == column && place.kind() != Kind::Core,
            Row::Core(place) => place.column == column,
        }
    }

    fn name(self) -> String {
        match self {
            Row::Processor => "commands".to_owned(),
            Row::Core(place) => format!("core ({}, {})", place.column, place.row),
            Row::Channel(place, direction, number) => {
                let tile = if place.kind() == Kind::Shim { "shim" } else { "memory" };
                let direction = if direction == Direction::In { "in" } else { "out" };
                format!("{tile} {} {direction} {number}", place.column)
            }
        }
    }
}

impl Activity {
    fn name(self) -> &'static str {
        match self {
            Activity::Call(kernel) => kernel.name(),
            Activity::Transfer => "transfer",
            Activity::Wait => "wait",
        }
    }
}

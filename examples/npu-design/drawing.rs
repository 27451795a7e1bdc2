//! The array's configuration as a drawing: tiles with their buffers, streams by colour.

use std::fmt::Write;

use gstwhispernpu::device::npu::{
    design::{Design, Flow, Tile},
    target::{FIRST_CORE_ROW, Kind, MEMORY_ROW},
};

const LEFT: f64 = 20.0;
const TOP: f64 = 64.0;
const COLUMN: f64 = 262.0;
const TILE_WIDTH: f64 = 168.0;
/// Where streams go up and down, left of a tile.
const LANES: f64 = 84.0;
const ROW: f64 = 128.0;
const TILE_HEIGHT: f64 = 96.0;

const COLUMN_STREAM: &str = "#1f77b4";
const RESULT_STREAM: &str = "#2a8f4f";
/// One for each row of cores.
const ROW_STREAMS: [&str; 4] = ["#d95f02", "#b8860b", "#c2398a", "#7b52ab"];

/// The drawing.
pub fn svg(design: &Design) -> String {
    let (columns, rows) = (design.target.columns, design.target.rows());
    let (width, height) = (LEFT + columns as f64 * COLUMN + 10.0, TOP + rows as f64 * ROW + 40.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    legend(&mut svg, design);
    for flow in &design.flows {
        stream(&mut svg, rows, flow);
    }
    for tile in &design.tiles {
        draw_tile(&mut svg, rows, tile);
    }
    let y = TOP + rows as f64 * ROW;
    line(
        &mut svg,
        format_args!(
            "<text x=\"{LEFT}\" y=\"{y}\" fill=\"#555\">DDR: weights · headers · activations, in objects of 4096 bytes</text>"
        ),
    );
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String, design: &Design) {
    let device = design.target.device();
    line(svg, format_args!("<text x=\"{LEFT}\" y=\"22\" font-size=\"15\">The one configuration of {device}</text>"));
    let mut x = LEFT;
    let rows = (0..design.target.core_rows).map(|row| (ROW_STREAMS[row % 4], format!("row stream {row}")));
    let others = [(COLUMN_STREAM, "column stream".to_owned()), (RESULT_STREAM, "results".to_owned())];
    for (colour, name) in others.into_iter().chain(rows) {
        line(svg, format_args!("<path d=\"M{x} 41h22\" stroke=\"{colour}\" stroke-width=\"3\"/>"));
        line(svg, format_args!("<text x=\"{}\" y=\"45\">{name}</text>", x + 27.0));
        x += 125.0;
    }
}

fn left_of(column: usize) -> f64 {
    LEFT + column as f64 * COLUMN + LANES
}

/// Top of a tile; row 0 is at the bottom.
fn top_of(rows: usize, row: usize) -> f64 {
    TOP + (rows - 1 - row) as f64 * ROW + 18.0
}

fn draw_tile(svg: &mut String, rows: usize, tile: &Tile) {
    let (x, y) = (left_of(tile.place.column), top_of(rows, tile.place.row));
    let (name, fill) = match tile.place.kind() {
        Kind::Shim => ("shim", "#f2f2f2"),
        Kind::Memory => ("memory", "#eef4fb"),
        Kind::Core => ("core", "#fdf6ec"),
    };
    line(
        svg,
        format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{TILE_WIDTH}\" height=\"{TILE_HEIGHT}\" rx=\"4\" fill=\"{fill}\" stroke=\"#555\"/>"
        ),
    );
    let bytes: usize = tile.buffers.iter().map(|buffer| buffer.bytes).sum();
    let memory = tile.place.kind().limits().memory_bytes;
    let size = if memory > 0 { format!("{} of {} KiB", bytes / 1024, memory / 1024) } else { String::new() };
    let place = tile.place;
    let title = format!("{name} ({}, {})", place.column, place.row);
    line(svg, format_args!("<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{title}</text>", x + 6.0, y + 14.0));
    line(
        svg,
        format_args!(
            "<text x=\"{}\" y=\"{}\" font-size=\"9.5\" text-anchor=\"end\" fill=\"#555\">{size}</text>",
            x + TILE_WIDTH - 5.0,
            y + 14.0
        ),
    );
    let lines = if tile.buffers.is_empty() {
        let channels =
            tile.channels.iter().map(|channel| format!("{:?} {}", channel.direction, channel.number).to_lowercase());
        vec![
            format!("channels {}", channels.collect::<Vec<_>>().join(", ")),
            "descriptors written by commands".to_owned(),
        ]
    } else {
        buffers(tile)
    };
    for (index, text) in lines.iter().enumerate() {
        line(
            svg,
            format_args!(
                "<text x=\"{}\" y=\"{:.1}\" font-size=\"9.5\">{text}</text>",
                x + 6.0,
                y + 27.0 + index as f64 * 10.5
            ),
        );
    }
}

/// Buffers of a tile, those of a ring together.
fn buffers(tile: &Tile) -> Vec<String> {
    let mut rings: Vec<(String, usize, usize)> = Vec::new();
    for buffer in &tile.buffers {
        let ring = buffer.name.rsplit_once(' ').filter(|(_, number)| number.parse::<usize>().is_ok());
        let name = ring.map_or(buffer.name.as_str(), |(name, _)| name).to_owned();
        match rings.last_mut() {
            Some((last, count, bytes)) if *last == name && *bytes == buffer.bytes => *count += 1,
            _ => rings.push((name, 1, buffer.bytes)),
        }
    }
    rings.into_iter().map(|(name, count, bytes)| format!("{name}: {count} × {bytes}")).collect()
}

fn stream(svg: &mut String, rows: usize, flow: &Flow) {
    let (source, first) = (flow.source.place, flow.destinations[0].place);
    let edge = |column: usize| left_of(column);
    match (source.kind(), first.kind()) {
        // Up one column.
        (Kind::Memory, Kind::Core) if flow.destinations.iter().all(|end| end.place.column == source.column) => {
            let x = edge(source.column) - 14.0;
            let top = flow.destinations.iter().map(|end| middle(rows, end.place.row)).fold(f64::MAX, f64::min) - 10.0;
            let from = middle(rows, source.row) - 10.0;
            path(svg, COLUMN_STREAM, &format!("M{} {from}H{x}V{top}", edge(source.column)));
            for end in &flow.destinations {
                arrow(svg, COLUMN_STREAM, x, middle(rows, end.place.row) - 10.0, edge(end.place.column));
            }
        }
        // Up, and then through a row.
        (Kind::Memory, Kind::Core) => {
            let row = first.row;
            let colour = ROW_STREAMS[(row - FIRST_CORE_ROW) % 4];
            let (x, lane) = (edge(source.column) - 42.0, top_of(rows, row) - 10.0);
            let last = flow.destinations.iter().map(|end| end.place.column).max().unwrap_or(0);
            let left = edge(0) - 28.0;
            path(svg, colour, &format!("M{} {}H{x}V{lane}", edge(source.column), middle(rows, source.row) + 4.0));
            path(svg, colour, &format!("M{} {lane}H{}", left.min(x), (edge(last) - 28.0).max(x)));
            for end in &flow.destinations {
                let x = edge(end.place.column) - 28.0;
                let y = middle(rows, end.place.row) + 4.0;
                path(svg, colour, &format!("M{x} {lane}V{y}"));
                arrow(svg, colour, x, y, edge(end.place.column));
            }
        }
        // Down to the memory tile.
        (Kind::Core, _) => {
            let x = edge(source.column) - 56.0 - 6.0 * (source.row - FIRST_CORE_ROW) as f64;
            let (from, to) = (middle(rows, source.row) + 20.0, middle(rows, MEMORY_ROW) + 18.0);
            path(svg, RESULT_STREAM, &format!("M{} {from}H{x}V{to}", edge(source.column)));
            arrow(svg, RESULT_STREAM, x, to, edge(source.column));
        }
        // Between shim and memory tile.
        (from, _) => {
            let is_up = from == Kind::Shim;
            let offset = match (is_up, flow.source.channel) {
                (false, _) => 110.0,
                (true, 0) => 30.0,
                (true, _) => 70.0,
            };
            let colour = match (is_up, flow.source.channel) {
                (false, _) => RESULT_STREAM,
                (true, 0) => COLUMN_STREAM,
                (true, _) => ROW_STREAMS[source.column % 4],
            };
            let x = edge(source.column) + offset;
            let (memory, shim) = (top_of(rows, MEMORY_ROW) + TILE_HEIGHT, top_of(rows, 0));
            let (begin, end, back) = if is_up { (shim, memory, 6.0) } else { (memory, shim, -6.0) };
            path(svg, colour, &format!("M{x} {begin}V{end}"));
            path(svg, colour, &format!("M{} {}L{x} {end}L{} {}", x - 4.0, end + back, x + 4.0, end + back));
        }
    }
}

fn middle(rows: usize, row: usize) -> f64 {
    top_of(rows, row) + TILE_HEIGHT / 2.0
}

fn arrow(svg: &mut String, colour: &str, x: f64, y: f64, to: f64) {
    path(svg, colour, &format!("M{x} {y}H{to}M{} {}L{to} {y}L{} {}", to - 6.0, y - 4.0, to - 6.0, y + 4.0));
}

fn path(svg: &mut String, colour: &str, path: &str) {
    line(svg, format_args!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>"));
}

fn line(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "{text}");
}

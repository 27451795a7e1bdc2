//! The analytic model beside what others measured, as a table.

use std::fmt::Write;

use gstwhispernpu::device::npu::cost;

/// The table.
pub fn text() -> String {
    let mut text = "| source | what | unit | measured by them | predicted | ratio | remark |\n".to_owned();
    text += "| --- | --- | --- | --: | --: | --: | --- |\n";
    for row in cost::published() {
        let (least, most) = row.measured;
        let measured = if least == most { figure(least) } else { format!("{} to {}", figure(least), figure(most)) };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {measured} | {} | {:.2} | {} |",
            row.source,
            row.what,
            row.unit,
            figure(row.predicted),
            row.ratio(),
            row.remark
        );
    }
    text
}

fn figure(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

//! What the process takes of the machine, as Linux tells it (proc(5)).

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Clock ticks a second in `/proc`; Linux has no other for programs.
const TICKS: f64 = 100.0;
const PAGE_BYTES: f64 = 4096.0;

/// Processor time that the process has had, all threads, in seconds.
pub fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name before the closing bracket may hold spaces; the times are fields 14 and 15, the bracket ends field 2.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// Memory that the process has, in megabytes.
pub fn resident_megabytes() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or_default() * PAGE_BYTES / 1e6
}

/// Threads that do nothing of use: two for each processor, until dropped.
pub struct Hog(Arc<AtomicBool>);

impl Hog {
    /// Starts them.
    pub fn new() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let count = thread::available_parallelism().map_or(1, usize::from) * 2;
        for _ in 0..count {
            let is_over = is_over.clone();
            thread::spawn(move || while !is_over.load(Ordering::Relaxed) {});
        }
        Self(is_over)
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

//! Text with indentation.

/// Lines, each with the indentation of the regions around it.
#[derive(Default)]
pub struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    /// Without lines, inside so many regions.
    pub fn inside(depth: usize) -> Self {
        Self { text: String::new(), depth }
    }

    /// How many regions are open.
    pub fn depth(&self) -> usize {
        self.depth
    }

    pub fn line(&mut self, line: impl AsRef<str>) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// A line that begins a region.
    pub fn open(&mut self, line: impl AsRef<str>) {
        self.line(line.as_ref().to_owned() + " {");
        self.depth += 1;
    }

    /// Ends a region; `attributes` follow its brace.
    pub fn close(&mut self, attributes: &str) {
        self.depth -= 1;
        self.line(format!("}}{attributes}"));
    }

    /// The label of a block, which stands outside of its lines.
    pub fn label(&mut self, label: &str) {
        self.depth -= 1;
        self.line(format!("{label}:"));
        self.depth += 1;
    }

    /// Lines that were made apart.
    pub fn append(&mut self, lines: &Lines) {
        self.text.push_str(&lines.text);
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

//! Runs a test in a process of its own, where it sees only its own memory and may set the environment.

use std::process::Command;

const INSIDE: &str = "WHISPERNPU_TEST_ALONE";

/// Runs `body` in a child process of this test program with these variables set; `name` is the calling test's full name.
#[track_caller]
pub fn in_own_process(name: &str, environment: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("1 passed"), "{name} alone: {log}");
}

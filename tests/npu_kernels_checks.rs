//! The kernels' sources: no warning by any compiler for either architecture, no frame that a core's stack cannot hold, no access
//! outside a buffer, and the same results on both architectures.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of a frame; the stack of a core has 1024 unless its design says otherwise, and lies right below the buffers.
const FRAME_LIMIT: usize = 512;

const SANITIZED: [&str; 5] =
    ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DAIE_HOST_CHECKS"];

/// All kernels' files.
fn sources() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    let entries = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path).map(|all| all.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
    };
    let mut sources: Vec<PathBuf> = entries(&folder)
        .iter()
        .flat_map(|family| entries(family))
        .filter(|path| path.extension().is_some_and(|name| name == "cc"))
        .collect();
    sources.sort();
    assert!(sources.len() > 15);
    sources
}

fn check_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npu_kernels_checks").join(name)
}

fn gcc() -> OsString {
    std::env::var_os("CXX").unwrap_or_else(|| "g++".into())
}

fn clang() -> Option<&'static str> {
    ["clang++", "clang++-19", "clang++-16", "clang++-14"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()))
}

fn compiler(name: impl Into<OsString>, architecture: u32, header: &Path) -> Command {
    let mut command = Command::new(name.into());
    command.args(["-std=c++20", "-ffp-contract=off", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror"]);
    command.arg(format!("-D__AIE_ARCH__={architecture}")).arg("-I").arg(header);
    command
}

fn host() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/host")
}

/// Runs to the end and gives what was printed; panics with the output if it failed.
fn run(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}\n{printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
}

/// Compiles everything with the exercise into one program and runs it.
fn exercise(architecture: u32, flags: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let objects: Vec<PathBuf> = (0..=sources().len()).map(|i| folder.path().join(format!("{i}.o"))).collect();
    let files: Vec<PathBuf> = sources().into_iter().chain([check_file("exercise.cc")]).collect();
    let jobs: Vec<_> = files.iter().zip(&objects).collect();
    std::thread::scope(|scope| {
        for half in jobs.chunks(jobs.len().div_ceil(2)) {
            scope.spawn(move || {
                for (file, object) in half {
                    let mut command = compiler(gcc(), architecture, &host());
                    command.args(flags).arg("-c").arg(file).arg("-o").arg(object);
                    run(command);
                }
            });
        }
    });
    let program = folder.path().join("exercise");
    let mut link = Command::new(gcc());
    link.args(flags).args(&objects).arg("-o").arg(&program);
    run(link);
    run(Command::new(program))
}

/// Also between the compiler's plain vectors and the instructions by name.
#[test]
fn every_kernel_is_exercised() {
    let exercise = std::fs::read_to_string(check_file("exercise.cc")).unwrap();
    for kernel in gstwhispernpu::device::npu::Kernel::ALL {
        // Once where it is declared, and where it is called.
        assert!(exercise.matches(&format!("{}(", kernel.name())).count() > 1, "{kernel:?}");
    }
}

#[test]
fn sanitizers_find_nothing_and_architectures_agree() {
    let sums = [exercise(20, &["-O1", "-DAIE_HOST_PORTABLE"]), exercise(21, &SANITIZED)];
    assert_eq!(sums[0], sums[1]);
    assert_eq!(sums[0].trim().len(), 16);
}

#[test]
fn another_compiler_has_no_warning() {
    let Some(clang) = clang() else {
        println!("no clang here");
        return;
    };
    for architecture in [20, 21] {
        for source in sources() {
            let mut command = compiler(clang, architecture, &host());
            command.arg("-fsyntax-only").arg(source);
            run(command);
        }
    }
}

#[test]
fn an_unknown_architecture_is_refused() {
    let mut command = compiler(gcc(), 22, &host());
    command.arg("-fsyntax-only").arg(sources()[0].with_file_name("../architecture.hpp")).args(["-x", "c++"]);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("without a row in this table"));
}

/// On the host a frame holds the vectors too, which a core has in registers: `registers/` leaves those out. What a core's
/// compiler spills can only be seen with that compiler.
#[test]
fn frames_fit_a_core() {
    let folder = tempfile::tempdir().unwrap();
    for architecture in [20, 21] {
        for (index, source) in sources().into_iter().enumerate() {
            let object = folder.path().join(format!("{architecture}-{index}.o"));
            let mut command = compiler(gcc(), architecture, &check_file("registers"));
            command.args(["-O2", "-fstack-usage", "-c"]).arg(&source).arg("-o").arg(&object);
            run(command);
            let usage = std::fs::read_to_string(object.with_extension("su")).unwrap();
            for line in usage.lines() {
                let fields: Vec<&str> = line.split('\t').collect();
                let bytes: usize = fields[1].parse().unwrap();
                assert!(bytes <= FRAME_LIMIT, "a frame of {bytes} bytes: {}", fields[0]);
                assert!(!fields[2].starts_with("dynamic"), "a frame of no fixed size: {}", fields[0]);
            }
        }
    }
}

#[test]
fn rust_has_the_same_layout() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = std::fs::read_to_string(folder.join("kernels/layout.hpp")).unwrap();
    let rust = std::fs::read_to_string(folder.join("src/device/npu/layout.rs")).unwrap();
    let mut compared = 0;
    for line in rust.lines().filter_map(|line| line.strip_prefix("pub const ")) {
        let (name, rest) = line.split_once(':').unwrap();
        let value: i32 = rest.split_once("= ").unwrap().1.trim_end_matches(';').parse().unwrap();
        let same = format!("inline constexpr int {name} = {value};");
        let product = header.lines().find(|line| line.starts_with(&format!("inline constexpr int {name} = "))).unwrap();
        assert!(product == same || product.contains('*'), "{product} but {value}");
        compared += 1;
    }
    assert!(compared > 20);
}

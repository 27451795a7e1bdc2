//! Hands the release date and the commit to the plugin's description, and compiles the NPU's kernels for the host.

fn main() {
    // Without a list, any new file in the folder would cause a build.
    let watched = ["build.rs", "Cargo.toml", "src", "kernels", ".git/HEAD"];
    for path in watched.iter().filter(|path| std::path::Path::new(path).exists()) {
        println!("cargo:rerun-if-changed={path}");
    }
    gst_plugin_version_helper::info();
    #[cfg(feature = "npu-emulator")]
    kernels::compile();
}

#[cfg(feature = "npu-emulator")]
mod kernels {
    use std::path::PathBuf;

    /// A build of all kernels: the suffix of its symbols and the compiler's flags. `src/device/npu/variant.rs` has the same.
    const X86_64: [(&str, &[&str]); 3] = [
        ("_baseline", &[]),
        ("_v3", &["-march=x86-64-v3"]),
        ("_v4", &["-march=x86-64-v4", "-mprefer-vector-width=512"]),
    ];

    /// AIE2; a test holds the builds for the other architecture to the same results.
    const ARCHITECTURE: &str = "20";

    pub fn compile() {
        let x86_64 = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|target| target == "x86_64");
        let builds = if x86_64 { &X86_64[..] } else { &X86_64[..1] };
        for (suffix, flags) in builds {
            let mut build = cc::Build::new();
            // Always optimised: whole models run through the kernels in tests of debug builds too. No contraction and no
            // other freedom with floats: results must not depend on the instruction set. Nothing of the C++ library is
            // linked, for none of its functions is called.
            build
                .cpp(true)
                .cpp_link_stdlib(None)
                .std("c++20")
                .opt_level(3)
                .debug(false)
                .flags(["-ffp-contract=off", "-fno-exceptions", "-fno-rtti"])
                .flags(*flags)
                .define("KERNEL_SUFFIX", *suffix)
                .define("__AIE_ARCH__", ARCHITECTURE)
                .include("kernels/host")
                .files(sources())
                .compile(&format!("npu_kernels{suffix}"));
        }
    }

    /// Every kernel's file: `kernels/<family>/<name>.cc`.
    fn sources() -> Vec<PathBuf> {
        let folders = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut sources: Vec<PathBuf> = folders("kernels".into())
            .flat_map(folders)
            .filter(|path| path.extension().is_some_and(|extension| extension == "cc"))
            .collect();
        sources.sort();
        sources
    }
}

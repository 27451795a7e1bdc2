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
    use std::collections::hash_map::DefaultHasher;
    use std::fs;
    use std::hash::{Hash, Hasher};
    use std::path::{Path, PathBuf};

    /// A build of all kernels: the suffix of its symbols and the compiler's flags. `src/device/npu/variant.rs` has the same.
    const X86_64: [(&str, &[&str]); 3] = [
        ("_baseline", &[]),
        ("_v3", &["-march=x86-64-v3"]),
        ("_v4", &["-march=x86-64-v4", "-mprefer-vector-width=512"]),
    ];

    /// AIE2; a test holds the builds for the other architecture to the same results.
    const ARCHITECTURE: &str = "20";

    /// What else the libraries depend on than files.
    const ENVIRONMENT: [&str; 5] = ["TARGET", "HOST", "CXX", "CXXFLAGS", "AR"];

    pub fn compile() {
        let x86_64 = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|target| target == "x86_64");
        let builds = if x86_64 { &X86_64[..] } else { &X86_64[..1] };
        ENVIRONMENT[2..].iter().for_each(|name| println!("cargo:rerun-if-env-changed={name}"));

        // This script runs whenever the crate has changed; the kernels seldom have.
        let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
        let (stamp, state) = (out.join("npu_kernels.stamp"), state());
        if fs::read_to_string(&stamp).is_ok_and(|built| built == state) {
            for (suffix, _) in builds {
                println!("cargo:rustc-link-search=native={}", folder(&out, suffix).display());
                println!("cargo:rustc-link-lib=static=npu_kernels{suffix}");
            }
            return;
        }
        std::thread::scope(|scope| {
            for (suffix, flags) in builds {
                let out = folder(&out, suffix);
                scope.spawn(move || compile_build(&out, suffix, flags));
            }
        });
        fs::write(stamp, state).expect("the output folder can be written");
    }

    /// Each build's own, for objects are named after their sources.
    fn folder(out: &Path, suffix: &str) -> PathBuf {
        out.join(format!("npu_kernels{suffix}"))
    }

    fn compile_build(out: &Path, suffix: &str, flags: &[&str]) {
        // Always optimised: whole models run through the kernels in tests of debug builds too. No contraction and no other
        // freedom with floats: results must not depend on the instruction set. Nothing of the C++ library is linked, for none
        // of its functions is called. Nobody reads the flags of floating-point exceptions, which is all that is given up.
        cc::Build::new()
            .out_dir(out)
            .cpp(true)
            .cpp_link_stdlib(None)
            .std("c++20")
            .opt_level(3)
            .debug(false)
            .flags(["-ffp-contract=off", "-fno-trapping-math", "-fno-exceptions", "-fno-rtti"])
            .flags(flags)
            .define("KERNEL_SUFFIX", suffix)
            .define("__AIE_ARCH__", ARCHITECTURE)
            .include("kernels/host")
            .files(files("kernels").into_iter().filter(|path| path.extension().is_some_and(|name| name == "cc")))
            .compile(&format!("npu_kernels{suffix}"));
    }

    /// All that the libraries are made from, in short.
    fn state() -> String {
        let mut hasher = DefaultHasher::new();
        fs::read("build.rs").ok().hash(&mut hasher);
        ENVIRONMENT.map(std::env::var_os).hash(&mut hasher);
        for path in files("kernels") {
            fs::read(&path).ok().hash(&mut hasher);
            path.hash(&mut hasher);
        }
        format!("{:016x}", hasher.finish())
    }

    /// All files of a folder and the folders in it.
    fn files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                files.extend(self::files(entry.path()));
            } else {
                files.push(entry.path());
            }
        }
        files.sort();
        files
    }
}

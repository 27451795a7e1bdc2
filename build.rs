//! Hands the release date and the commit to the plugin's description.

fn main() {
    // Without a list, any new file in the folder would cause a build.
    let watched = ["build.rs", "Cargo.toml", "src", ".git/HEAD"];
    for path in watched.iter().filter(|path| std::path::Path::new(path).exists()) {
        println!("cargo:rerun-if-changed={path}");
    }
    gst_plugin_version_helper::info();
}

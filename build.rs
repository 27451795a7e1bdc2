//! Hands the release date and the commit to the plugin's description.

fn main() {
    gst_plugin_version_helper::info();
}
